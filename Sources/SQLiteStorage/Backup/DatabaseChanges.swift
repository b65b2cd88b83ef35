package import CertificateAuthority
package import Foundation
import GRDB

/// The chain of backups that a full one has begun, as the database remembers it.
package struct BackupChainState: Sendable, Equatable {
    /// Identifier of the full backup; `nil` while the first one is being made.
    package var base: String?
    /// Of the last backup in the chain: 0 for the full one.
    package var position: Int
    /// The newest change that it has.
    package var changeNumber: Int64
    /// The newest change of a revocation that it has.
    package var revocationChange: Int64
    package var madeWhen: Date
    /// How many there were: a newer version may have other tables.
    package var migrationCount: Int64

    package init(
        base: String?, position: Int, changeNumber: Int64, revocationChange: Int64, madeWhen: Date,
        migrationCount: Int64
    ) {
        self.base = base
        self.position = position
        self.changeNumber = changeNumber
        self.revocationChange = revocationChange
        self.madeWhen = madeWhen
        self.migrationCount = migrationCount
    }

    fileprivate init?(_ db: Database) throws {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM backup_chain") else { return nil }
        self.init(
            base: row["base"], position: row["position"], changeNumber: row["change_number"],
            revocationChange: row["revocation_change"], madeWhen: Date(storedMilliseconds: row["made_when"]),
            migrationCount: row["migrations"])
    }
}

extension SQLiteStorage {
    /// Begins the log of changes, unless it is kept already. A full backup whose copy is made afterwards has everything
    /// that was changed before, and whatever it does not have is in the log.
    package func beginChangeLog(at date: Date) async throws {
        try await self.changeChain("begin the log of changes") { db in
            guard try BackupChainState(db) == nil else { return }
            try db.execute(
                sql: """
                    INSERT INTO backup_chain (only, base, position, change_number, revocation_change, made_when,
                        migrations)
                    VALUES (1, NULL, 0, (SELECT COALESCE(MAX(number), 0) FROM change_log), 0, ?, 0)
                    """, arguments: [date.stored])
        }
    }

    /// Ends the log when no full backup was ever finished.
    package func abandonChangeLog() async throws {
        try await self.changeChain("end the log of changes") { db in
            guard try BackupChainState(db)?.base == nil else { return }
            try db.execute(sql: "DELETE FROM backup_chain; DELETE FROM change_log")
        }
    }

    /// Notes a backup that was made and verified, and removes the changes that it has.
    package func advanceChain(to state: BackupChainState) async throws {
        try await self.changeChain("note a backup") { db in
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO backup_chain
                    VALUES (1, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    state.base, state.position, state.changeNumber, state.revocationChange, state.madeWhen.stored,
                    state.migrationCount,
                ])
            try db.execute(sql: "DELETE FROM change_log WHERE number <= ?", arguments: [state.changeNumber])
        }
    }

    /// `nil` while no full backup was finished, and when the tables were made anew since.
    package func backupChain() async throws -> BackupChainState? {
        do {
            return try await self.database.read { db in
                guard let chain = try BackupChainState(db), chain.base != nil,
                    try DatabaseImage.migrationCount(db) == chain.migrationCount
                else { return nil }
                return chain
            }
        } catch let error as DatabaseError {
            throw StorageError(error, operation: "read the chain of backups")
        }
    }

    /// On the writing connection, between the groups of others.
    private func changeChain(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Void
    ) async throws {
        do { try await self.database.write(body) } catch let error as DatabaseError {
            throw StorageError(error, operation: operation)
        }
    }
}

/// What changed in a database since a backup, read in one consistent state.
package struct DatabaseChanges {
    package let migrations: [String]
    package let highestRequestID: Int64
    package let changeNumber: Int64
    package let revocationChange: Int64
    package let migrationCount: Int64

    /// Reads the changes after those of a backup, in blocks of some MiB: as many as changed, whatever the database has.
    ///
    /// - Parameters:
    ///   - take: stores a block; the name is unique.
    ///   - body: reads what else is wanted of the same state.
    package static func read<R>(
        of source: String, after state: BackupChainState,
        take: @escaping (_ name: String, _ block: [UInt8]) throws -> Void,
        reading body: (any StorageReading) throws -> R
    ) throws -> (changes: DatabaseChanges, result: R) {
        try StorageError.mapping("read the changes of the database \(source)") {
            var configuration = SQLiteStorage.configuration(SQLiteStorage.busyTimeoutSeconds)
            configuration.readonly = true
            let database = try DatabaseQueue(path: source, configuration: configuration)
            defer { try? database.close() }  // read only
            return try database.read { db in
                let changes = DatabaseChanges(
                    migrations: try DatabaseImage.migrations(db),
                    highestRequestID: try DatabaseImage.highestRequestID(db),
                    changeNumber: try DatabaseImage.changeNumber(db),
                    revocationChange: try SQLiteReader(db: db).highestRevocationChange(),
                    migrationCount: try DatabaseImage.migrationCount(db))
                let result = try body(SQLiteReader(db: db))
                let ranges = try self.ranges(db, after: state.changeNumber)
                for (name, kind) in BackupTable.all {
                    var export = try TableExport(name, db, take: take)
                    switch kind {
                    case .tracked(let key): try export.rows(ranges[name] ?? [], key: key)
                    case .ofRequest: try export.rows(ranges["request"] ?? [], key: "request_id")
                    case .revocations: try export.revocations(after: state.revocationChange)
                    case .whole: try export.everything()
                    case .excluded: break
                    }
                    try export.finish()
                }
                return (changes, result)
            }
        }
    }

    private static func ranges(_ db: Database, after number: Int64) throws -> [String: [ClosedRange<Int64>]] {
        var tables = [RowRanges](repeating: RowRanges([]), count: BackupTable.tracked.count)
        let rows = try Row.fetchCursor(
            db, sql: "SELECT changes FROM change_log WHERE number > ? ORDER BY number", arguments: [number])
        var waiting = tables.map { _ in [ClosedRange<Int64>]() }
        var count = 0
        func merge() {
            for index in tables.indices { tables[index].formUnion(waiting[index]) }
            waiting = tables.map { _ in [] }
        }
        while let row = try rows.next() {
            let bytes = try row.withUnsafeData(atIndex: 0) { $0.map { Array($0) } ?? [] }
            guard let ranges = RowRanges.decode(bytes, tables: tables.count) else {
                throw StorageError.corrupt("changes", "read the log of changes")
            }
            for index in tables.indices { waiting[index] += ranges[index] }
            count += 1
            // Not after each: that would be quadratic; not at the end: that would hold the whole log.
            if count.isMultiple(of: 10_000) { merge() }
        }
        merge()
        return Dictionary(uniqueKeysWithValues: zip(BackupTable.tracked, tables.map(\.ranges)))
    }
}

/// Writes the changes of one table, in blocks.
private struct TableExport {
    private let table: String
    private let db: Database
    private let take: (String, [UInt8]) throws -> Void
    private let columns: [String]
    private let hasRowNumber: Bool
    private var block: ChangeBlock
    private var number = 0
    private var isEmpty = true

    init(_ table: String, _ db: Database, take: @escaping (String, [UInt8]) throws -> Void) throws {
        self.table = table
        self.db = db
        self.take = take
        let columns = try db.columns(in: table).map(\.name)
        // The number of a row is its key in the log where the table has no column for it.
        self.hasRowNumber = BackupTable.all.contains { $0.name == table && $0.kind == .tracked(key: "rowid") }
        self.columns = (self.hasRowNumber ? ["rowid"] : []) + columns
        self.block = ChangeBlock(table: table, columns: self.columns)
    }

    private var selection: String {
        "SELECT \(self.columns.map { $0 == "rowid" ? $0 : "\"\($0)\"" }.joined(separator: ", ")) FROM \"\(self.table)\""
    }

    mutating func rows(_ ranges: [ClosedRange<Int64>], key: String) throws {
        for range in ranges {
            try self.append(.range(range))
            try self.append(
                self.selection + " WHERE \(key) BETWEEN ? AND ? ORDER BY \(key)", [range.lowerBound, range.upperBound])
        }
    }

    mutating func everything() throws {
        try self.append(.everything)
        try self.append(self.selection, [])
    }

    mutating func revocations(after change: Int64) throws {
        for scope in try Row.fetchAll(self.db, sql: "SELECT ca_key_index, crl_shard FROM crl_scope") {
            try self.append(
                self.selection + " WHERE ca_key_index = ? AND crl_shard = ? AND change_number > ?",
                [scope[0] as Int64, scope[1] as Int64, change], isReplacing: true)
        }
    }

    private mutating func append(
        _ sql: String, _ arguments: StatementArguments, isReplacing: Bool = false
    ) throws {
        let rows = try Row.fetchCursor(self.db, sql: sql, arguments: arguments)
        while let row = try rows.next() {
            let values = Array(row.databaseValues)
            try self.append(isReplacing ? .replacement(values) : .row(values))
        }
    }

    private mutating func append(_ record: ChangeBlock.Record) throws {
        if self.block.isFull { try self.finish() }
        self.block.append(record)
        self.isEmpty = false
    }

    mutating func finish() throws {
        guard !self.isEmpty else { return }
        self.block.finish()
        self.number += 1
        try self.take("\(self.table)/\(self.number)", self.block.bytes)
        self.block = ChangeBlock(table: self.table, columns: self.columns)
        self.isEmpty = true
    }
}

/// Puts the changes of increments into a copy of a database that nobody else uses.
package final class ChangeApplication {
    private let database: DatabaseQueue

    /// - Parameter path: of the database.
    package init(path: String) throws {
        self.database = try StorageError.mapping("open the database \(path)") {
            var configuration = SQLiteStorage.configuration(SQLiteStorage.busyTimeoutSeconds)
            // Blocks come table by table; references are checked at the end.
            configuration.foreignKeysEnabled = false
            return try DatabaseQueue(path: path, configuration: configuration)
        }
    }

    /// - Throws: ``StorageError``; with code `corrupt` for a block of a table or column that this database does not have.
    package func apply(_ bytes: [UInt8]) throws {
        try StorageError.mapping("apply the changes of a backup") {
            try self.database.write { db in
                var block = try ChangeBlockReader(bytes)
                let statements = try Statements(block.table, block.columns, db)
                while let record = try block.next() { try statements.apply(record, db) }
            }
        }
    }

    /// Ends the chain that the copied database was in, and checks every reference.
    package func finish() throws {
        try StorageError.mapping("finish the restored database") {
            try self.database.write { db in
                try db.execute(sql: "DELETE FROM backup_chain; DELETE FROM change_log")
                try db.checkForeignKeys()
            }
            try self.database.close()
        }
    }

    private struct Statements {
        let key: String?
        let table: String
        let insertion: String
        let replacement: String

        init(_ table: String, _ columns: [String], _ db: Database) throws {
            guard let kind = BackupTable.all.first(where: { $0.name == table })?.kind, kind != .excluded,
                try Set(columns).subtracting(["rowid"]) == Set(db.columns(in: table).map(\.name))
            else { throw StorageError.corrupt("table", "apply the changes of a backup") }
            self.table = table
            switch kind {
            case .tracked(let key): self.key = key
            case .ofRequest: self.key = "request_id"
            case .revocations, .whole, .excluded: self.key = nil
            }
            let names = columns.map { $0 == "rowid" ? $0 : "\"\($0)\"" }.joined(separator: ", ")
            let values = columns.map { _ in "?" }.joined(separator: ", ")
            self.insertion = "INSERT INTO \"\(table)\" (\(names)) VALUES (\(values))"
            self.replacement = "INSERT OR REPLACE INTO \"\(table)\" (\(names)) VALUES (\(values))"
        }

        func apply(_ record: ChangeBlock.Record, _ db: Database) throws {
            switch record {
            case .range(let range):
                guard let key else { throw StorageError.corrupt("key", "apply the changes of a backup") }
                try db.execute(
                    sql: "DELETE FROM \"\(self.table)\" WHERE \(key) BETWEEN ? AND ?",
                    arguments: [range.lowerBound, range.upperBound])
            case .everything: try db.execute(sql: "DELETE FROM \"\(self.table)\"")
            case .row(let values):
                try db.cachedStatement(sql: self.insertion).execute(arguments: StatementArguments(values))
            case .replacement(let values):
                try db.cachedStatement(sql: self.replacement).execute(arguments: StatementArguments(values))
            }
        }
    }
}
