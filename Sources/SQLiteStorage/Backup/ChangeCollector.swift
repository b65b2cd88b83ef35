import GRDB
import GRDBSQLite
import Glibc

/// Collects which rows a transaction changes, by SQLite's update hook (https://www.sqlite.org/c3ref/update_hook.html), and
/// stores them in the log of changes as part of the transaction.
///
/// What a savepoint undid is noted all the same: an increment has each row as it is when it is made.
final class ChangeCollector {
    /// Commits after which a log is given up that no backup has taken: it would grow for ever.
    static let maximumLog: Int64 = 4_000_000

    private let db: Database
    private var rows = [[Int64]](repeating: [], count: BackupTable.tracked.count)

    /// - Returns: `nil` while no chain of backups was begun: then nothing is collected.
    static func begin(_ db: Database) throws -> ChangeCollector? {
        let isWanted = try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM backup_chain)"))
        guard isWanted == true else { return nil }
        return ChangeCollector(db)
    }

    private init(_ db: Database) {
        self.db = db
        // GRDB sets a hook of its own only while it has transaction observers, and this connection has none.
        sqlite3_update_hook(
            db.sqliteConnection,
            { context, _, _, table, row in
                guard let context, let table else { return }
                Unmanaged<ChangeCollector>.fromOpaque(context).takeUnretainedValue().note(table, row)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Before the collector goes, however the transaction ends.
    func end() {
        sqlite3_update_hook(self.db.sqliteConnection, nil, nil)
    }

    private func note(_ table: UnsafePointer<CChar>, _ row: Int64) {
        for (index, name) in BackupTable.tracked.enumerated() where strcmp(table, name) == 0 {
            if self.rows[index].last != row { self.rows[index].append(row) }
            return
        }
    }

    /// For tables of which SQLite tells nothing.
    func noteRequest(_ requestID: Int64) {
        self.rows[0].append(requestID)
    }

    /// Writes the log's row. A transaction that has changed small tables only has one, too: it is a change.
    func store() throws {
        self.end()
        let ranges = self.rows.map { RowRanges($0) }
        try self.db.cachedStatement(sql: "INSERT INTO change_log (changes) VALUES (?)")
            .execute(arguments: [RowRanges.encoded(ranges).stored])
        let number = self.db.lastInsertedRowID
        guard number.isMultiple(of: 4096) else { return }
        let start = try Int64.fetchOne(self.db, sql: "SELECT change_number FROM backup_chain") ?? number
        guard number - start > Self.maximumLog else { return }
        try self.db.execute(sql: "DELETE FROM backup_chain; DELETE FROM change_log")
    }
}

/// Numbers of rows, as ranges in order.
struct RowRanges: Equatable {
    private(set) var ranges: [ClosedRange<Int64>] = []

    init(_ rows: [Int64]) {
        for row in rows.sorted() { self.add(row...row) }
    }

    private mutating func add(_ range: ClosedRange<Int64>) {
        if let last = self.ranges.last, range.lowerBound <= last.upperBound.addingReportingOverflow(1).partialValue {
            self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            self.ranges.append(range)
        }
    }

    mutating func formUnion(_ others: [ClosedRange<Int64>]) {
        let all = (self.ranges + others).sorted { $0.lowerBound < $1.lowerBound }
        self.ranges = []
        for range in all { self.add(range) }
    }

    /// Of each tracked table: how many ranges, and of each its first row and its length less one, as variable-length
    /// numbers.
    static func encoded(_ tables: [RowRanges]) -> [UInt8] {
        var bytes: [UInt8] = []
        for table in tables {
            VariableLength.append(UInt64(table.ranges.count), to: &bytes)
            for range in table.ranges {
                VariableLength.append(UInt64(bitPattern: range.lowerBound), to: &bytes)
                VariableLength.append(UInt64(range.upperBound - range.lowerBound), to: &bytes)
            }
        }
        return bytes
    }

    /// - Returns: `nil` for bytes that are not such an encoding.
    static func decode(_ bytes: [UInt8], tables count: Int) -> [[ClosedRange<Int64>]]? {
        var rest = bytes[...]
        var tables: [[ClosedRange<Int64>]] = []
        for _ in 0..<count {
            guard let number = VariableLength.next(&rest), number <= UInt64(bytes.count) else { return nil }
            var ranges: [ClosedRange<Int64>] = []
            for _ in 0..<number {
                guard let first = VariableLength.next(&rest), let length = VariableLength.next(&rest) else {
                    return nil
                }
                let (last, overflow) = Int64(bitPattern: first).addingReportingOverflow(Int64(clamping: length))
                guard !overflow, length <= UInt64(Int64.max) else { return nil }
                ranges.append(Int64(bitPattern: first)...last)
            }
            tables.append(ranges)
        }
        return rest.isEmpty ? tables : nil
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
enum VariableLength {
    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// - Returns: `nil` for a number that is cut, not the shortest, or too large.
    static func next(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return byte == 0 && shift > 0 ? nil : value }
            shift += 7
            guard shift <= 63 else { return nil }
        }
        return nil
    }
}
