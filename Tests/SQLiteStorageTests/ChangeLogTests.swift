import CertificateAuthority
import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite("The log of changes")
struct ChangeLogTests {
    @Test("Every table of the database has a place in the backup")
    func tables() throws {
        let storage = try SQLiteStorage(inMemoryNamed: "tables")
        let found = try storage.database.read { db in
            Set(try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'"))
        }
        #expect(Set(BackupTable.all.map(\.name)) == found.subtracting(["sqlite_stat1"]).union(["sqlite_sequence"]))
        #expect(BackupTable.all.count == Set(BackupTable.all.map(\.name)).count)
        try storage.database.read { db in
            for (name, kind) in BackupTable.all {
                let hasRowNumbers = try !String.fetchAll(
                    db, sql: "SELECT sql FROM sqlite_master WHERE name = ?", arguments: [name]
                ).joined().contains("WITHOUT ROWID")
                if case .tracked = kind { #expect(hasRowNumbers, "SQLite tells no changes of \(name)") }
            }
        }
    }

    @Test(
        "Nothing is logged before a chain of backups begins, and each commit afterwards has one row with what it changed"
    )
    func logging() async throws {
        let storage = try SQLiteStorage(inMemoryNamed: "log")
        func log() throws -> [[UInt8]] {
            try storage.database.read { try Data.fetchAll($0, sql: "SELECT changes FROM change_log ORDER BY number") }
                .map { Array($0) }
        }
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let event = AuditEvent(.configurationChanged, when: now, who: "test", details: [:])
        try await storage.write { try $0.append(event) }
        #expect(try log().isEmpty)
        try await storage.beginChangeLog(at: now)
        try await storage.write { try $0.append(event) }
        try await storage.write { try $0.setSetting("name", to: "value") }
        let rows = try log().map { try #require(RowRanges.decode($0, tables: BackupTable.tracked.count)) }
        let audit = try #require(BackupTable.tracked.firstIndex(of: "audit"))
        #expect(rows.count == 2)
        #expect(rows[0][audit] == [2...2])
        #expect(rows[0].enumerated().allSatisfy { $0.offset == audit || $0.element.isEmpty })
        #expect(rows[1].allSatisfy { $0.isEmpty })
        #expect(try await storage.backupChain() == nil)
        let state = BackupChainState(
            base: "ab", position: 0, changeNumber: 1, revocationChange: 0, madeWhen: now,
            migrationCount: try await storage.database.read { try DatabaseImage.migrationCount($0) })
        try await storage.advanceChain(to: state)
        #expect(try log().count == 1)
        #expect(try await storage.backupChain() == state)
        // A chain that exists is not given up.
        try await storage.abandonChangeLog()
        #expect(try await storage.backupChain() == state)
        // An upgrade that has changed the tables ends the chain.
        try await storage.database.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('later')") }
        #expect(try await storage.backupChain() == nil)
    }

    @Test("VACUUM leaves the numbers of rows by which the log names them")
    func vacuum() async throws {
        let storage = try SQLiteStorage(inMemoryNamed: "vacuum")
        try await storage.write { db in
            for number in 1...9 {
                try db.insert(
                    SignedAuditHead(
                        sequence: Int64(number), hash: [UInt8(number)], signedWhen: Date(timeIntervalSince1970: 0),
                        number: "\(9 - number)", statementDER: [0x30, 0x00]))
            }
        }
        func rows() async throws -> [String] {
            try await storage.database.read {
                try String.fetchAll($0, sql: "SELECT rowid || ' ' || number FROM audit_head ORDER BY rowid")
            }
        }
        let before = try await rows()
        try await storage.database.writeWithoutTransaction { try $0.execute(sql: "VACUUM") }
        #expect(try await rows() == before)
    }

    @Test("A write that throws leaves nothing in the log")
    func rollback() async throws {
        let storage = try SQLiteStorage(inMemoryNamed: "rollback")
        try await storage.beginChangeLog(at: Date(timeIntervalSince1970: 0))
        await #expect(throws: StorageError.self) {
            try await storage.write { db in
                try db.setSetting("name", to: "value")
                throw StorageError.notFound("row", operation: "test")
            }
        }
        let count = try await storage.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM change_log") }
        #expect(count == 0)
    }

    @Test("Ranges are decoded as they were encoded; cut or with trailing bytes they are refused")
    func ranges() throws {
        let tables = [RowRanges([5, 3, 4, 9, 9, -1]), RowRanges([]), RowRanges([.max, .min])]
        let bytes = RowRanges.encoded(tables)
        #expect(
            RowRanges.decode(bytes, tables: 3) == [[-1...(-1), 3...5, 9...9], [], [.min...(.min), .max...(.max)]])
        for length in bytes.indices { #expect(RowRanges.decode(Array(bytes.prefix(length)), tables: 3) == nil) }
        #expect(RowRanges.decode(bytes + [0], tables: 3) == nil)
        var union = tables[0]
        union.formUnion([6...8, 20...21])
        #expect(union.ranges == [-1...(-1), 3...9, 20...21])
    }

    private static let values: [DatabaseValue] = [
        .null, Int64.min.databaseValue, "tëxt".databaseValue, Data([0, 255]).databaseValue, 1.5.databaseValue,
        Data().databaseValue, "".databaseValue,
    ]

    private static func block() -> [UInt8] {
        var block = ChangeBlock(table: "request", columns: ["a", "b", "c", "d", "e", "f", "g"])
        for record in self.records { block.append(record) }
        block.finish()
        return block.bytes
    }

    private static let records: [ChangeBlock.Record] = [
        .range(3...900), .row(values), .everything, .replacement(values), .range(.min...(-1)),
    ]

    private static func read(_ bytes: [UInt8]) throws -> (String, [String], [ChangeBlock.Record]) {
        var reader = try ChangeBlockReader(bytes)
        var records: [ChangeBlock.Record] = []
        while let record = try reader.next() { records.append(record) }
        return (reader.table, reader.columns, records)
    }

    @Test(
        "A block is read as it was written; cut anywhere it is refused, and what is accepted writes the same bytes again"
    )
    func blocks() throws {
        let bytes = Self.block()
        let (table, columns, records) = try Self.read(bytes)
        #expect(table == "request")
        #expect(columns == ["a", "b", "c", "d", "e", "f", "g"])
        #expect(records == Self.records)
        for length in bytes.indices {
            #expect(throws: StorageError.self, "cut to \(length)") { try Self.read(Array(bytes.prefix(length))) }
        }
        for index in bytes.indices {
            for mask in [UInt8(0x01), 0x80, 0xFF] {
                var damaged = bytes
                damaged[index] ^= mask
                do {
                    let (table, columns, records) = try Self.read(damaged)
                    var again = ChangeBlock(table: table, columns: columns)
                    for record in records { again.append(record) }
                    again.finish()
                    #expect(again.bytes == damaged, "byte \(index) flipped by \(mask)")
                } catch { #expect(error is StorageError, "byte \(index) flipped by \(mask): \(error)") }
            }
        }
    }
}
