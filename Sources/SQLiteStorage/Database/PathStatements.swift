import CertificateAuthority
import GRDB
import GRDBSQLite

/// A value of a column as SQLite holds it.
enum StoredValue {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    static func integer(_ value: Int) -> StoredValue { .integer(Int64(value)) }
    static func integer(_ value: Int64?) -> StoredValue { value.map { .integer($0) } ?? .null }
    static func integer(_ value: Int?) -> StoredValue { .integer(value.map { Int64($0) }) }
    static func text(_ value: String?) -> StoredValue { value.map { .text($0) } ?? .null }
    static func blob(_ value: [UInt8]?) -> StoredValue { value.map { .blob($0) } ?? .null }

    /// Binds a copy to a parameter counted from 1.
    ///
    /// - Returns: SQLite's result code.
    fileprivate func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        // SQLITE_TRANSIENT (https://www.sqlite.org/c3ref/c_static.html): a macro that Swift does not see.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch self {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let value): return sqlite3_bind_int64(statement, index, value)
        case .text(var value):
            // Without an address SQLite would bind NULL.
            guard !value.isEmpty else { return sqlite3_bind_text(statement, index, "", 0, copied) }
            return value.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), copied)
                }
            }
        case .blob(let value):
            guard !value.isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
            return value.withUnsafeBytes {
                sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), copied)
            }
        }
    }
}

/// The statements that every issuance runs.
enum PathStatement: Int, CaseIterable {
    case savepoint, release, rollback
    case disposition, insertRequest, changeRequest, settleRequest
    case insertIntent, closeIntent
    case insertCertificate, noteScope
    case appendAudit

    var sql: String {
        switch self {
        case .savepoint: "SAVEPOINT caller"
        case .release: "RELEASE caller"
        case .rollback: "ROLLBACK TO caller"
        case .disposition: "SELECT disposition FROM request WHERE request_id = ?"
        case .insertRequest: RequestRecord.insertion
        case .changeRequest: RequestRecord.change
        case .settleRequest: RequestRecord.settlement
        case .insertIntent: SigningIntent.insertion
        case .closeIntent: SigningIntent.closing
        case .insertCertificate: CertificateRecord.insertion
        case .noteScope: "INSERT OR IGNORE INTO crl_scope VALUES (?, ?)"
        case .appendAudit: AuditEntry.insertion
        }
    }
}

/// ``PathStatement``s of one transaction, looked up once, with their values bound by position.
///
/// GRDB finds a statement by its text and an argument by its name, and boxes and copies every value. With sixty columns
/// an issuance that costs more than what SQLite does with them. All other statements go through GRDB.
final class PathStatements {
    private let db: Database
    private var prepared = [Statement?](repeating: nil, count: PathStatement.allCases.count)

    init(_ db: Database) {
        self.db = db
    }

    /// Runs a statement that gives no rows.
    ///
    /// - Parameter values: one for each parameter, in the order in which the statement names them.
    /// - Returns: how many rows it changed.
    /// - Throws: `DatabaseError`.
    @discardableResult
    func run(_ which: PathStatement, _ values: [StoredValue] = []) throws -> Int {
        let statement = try self.bind(values, to: which)
        // What a step that failed says is thrown; resetting only says it again.
        defer { _ = sqlite3_reset(statement) }
        try self.require(sqlite3_step(statement), SQLITE_DONE)
        return Int(sqlite3_changes(self.db.sqliteConnection))
    }

    /// The integer that a statement gives as its one column; `nil` when it gives no row.
    func integer(_ which: PathStatement, _ values: [StoredValue]) throws -> Int64? {
        let statement = try self.bind(values, to: which)
        defer { _ = sqlite3_reset(statement) }
        let code = sqlite3_step(statement)
        guard code != SQLITE_DONE else { return nil }
        try self.require(code, SQLITE_ROW)
        return sqlite3_column_int64(statement, 0)
    }

    private func bind(_ values: [StoredValue], to which: PathStatement) throws -> OpaquePointer {
        let statement = try self.statement(which)
        guard Int(sqlite3_bind_parameter_count(statement)) == values.count else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "wrong number of values for \(which)")
        }
        for (index, value) in values.enumerated() {
            try self.require(value.bind(to: statement, at: Int32(index + 1)), SQLITE_OK)
        }
        return statement
    }

    private func statement(_ which: PathStatement) throws -> OpaquePointer {
        if let found = self.prepared[which.rawValue] { return found.sqliteStatement }
        let made = try self.db.cachedStatement(sql: which.sql)
        self.prepared[which.rawValue] = made
        return made.sqliteStatement
    }

    private func require(_ code: Int32, _ wanted: Int32) throws {
        guard code != wanted else { return }
        throw DatabaseError(resultCode: ResultCode(rawValue: code), message: self.db.lastErrorMessage)
    }
}
