package import CertificateAuthority
import Foundation
import GRDB
import Glibc

/// One consistent state of a database in a file of its own, taken while others read and write the database.
package struct DatabaseImage: Sendable {
    /// Of the schema, in the order in which they were made.
    package let migrations: [String]
    /// The highest number that a request was ever given.
    package let highestRequestID: Int64
    /// The newest row of the log of changes.
    package let changeNumber: Int64
    package let revocationChange: Int64
    package let migrationCount: Int64

    /// Pages between two reports of progress: 8 MiB.
    private static let pagesPerStep: CInt = 2048

    /// Copies a database by SQLite's online backup, in one read transaction, so that writers neither wait nor force the
    /// copy to begin anew (https://www.sqlite.org/backup.html).
    ///
    /// The copy is not synced to the disk: it is made to be read once and removed.
    ///
    /// - Parameters:
    ///   - destination: a file that must not be there; it gets mode 0600.
    ///   - progress: the part that is done, from 0 to 1; may throw to end the copying.
    ///   - body: reads what else is wanted of the same state.
    /// - Throws: ``StorageError``, and what `progress` and `body` throw.
    package static func make<R>(
        of source: String, at destination: String, progress: @escaping (Double) throws -> Void,
        reading body: (any StorageReading) throws -> R
    ) throws -> (image: DatabaseImage, result: R) {
        try StorageError.mapping("copy the database \(source)") {
            let database = try DatabaseQueue(path: source, configuration: self.configuration(reading: true))
            defer { try? database.close() }  // read only
            try DatabaseFile.prepare(path: destination)
            let copy = try DatabaseQueue(path: destination, configuration: self.configuration(reading: false))
            let result = try database.read { db in
                // A deferred transaction begins with its first read: from here on the state is fixed.
                let image = DatabaseImage(
                    migrations: try self.migrations(db), highestRequestID: try self.highestRequestID(db),
                    changeNumber: try self.changeNumber(db),
                    revocationChange: try SQLiteReader(db: db).highestRevocationChange(),
                    migrationCount: try self.migrationCount(db))
                let result = try body(SQLiteReader(db: db))
                try copy.writeWithoutTransaction { target in
                    try db.backup(to: target, pagesPerStep: self.pagesPerStep) { step in
                        try progress(
                            Double(step.completedPageCount) / Double(max(1, step.totalPageCount)))
                    }
                }
                return (image, result)
            }
            try copy.close()
            return result
        }
    }

    static func migrations(_ db: Database) throws -> [String] {
        try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid")
    }

    static func highestRequestID(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'request'") ?? 0
    }

    static func migrationCount(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT COUNT(*) FROM grdb_migrations") ?? 0
    }

    /// Also when the row itself was taken by a backup.
    static func changeNumber(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'change_log'") ?? 0
    }

    private static func configuration(reading: Bool) -> Configuration {
        var configuration = SQLiteStorage.configuration(SQLiteStorage.busyTimeoutSeconds)
        configuration.readonly = reading
        configuration.label = "signet.backup"
        guard !reading else { return configuration }
        // Whatever happens to the copy, it is made again.
        configuration.prepareDatabase {
            try $0.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        }
        return configuration
    }
}
