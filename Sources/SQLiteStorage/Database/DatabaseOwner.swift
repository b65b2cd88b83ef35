import CertificateAuthority
import Diagnostics
import GRDB

/// One instance has a database: with two, each would publish only some of the CRLs, decide by templates of its own, and
/// settle the other's work when it begins its own.
extension SQLiteStorage {
    /// Under which name the identifier of the instance stands among the settings.
    package static let instanceSetting = "instance"

    /// The identifier of the instance whose database it is; `nil` for nobody's, as those of earlier versions are.
    package func owner() throws -> String? {
        try StorageError.mapping("read whose database it is") {
            try self.database.read { try SQLiteStorage.owner(in: $0) }
        }
    }

    /// Makes a database that is nobody's that of an instance. Of two that come at the same moment one gets it.
    ///
    /// - Parameter path: for the error.
    /// - Throws: ``StorageError`` with code `otherInstance` for another one's; nothing is changed then.
    package func claim(for instance: String, path: String) throws {
        let owner = try StorageError.mapping("make the database \(path) that of an instance") { () throws -> String? in
            if let owner = try self.owner() { return owner }
            return try self.database.write { db in
                try db.execute(
                    sql: "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                    arguments: [SQLiteStorage.instanceSetting, instance])
                return try SQLiteStorage.owner(in: db)
            }
        }
        guard owner == instance else { throw StorageError.otherInstance(path: path, owner: owner ?? "") }
    }

    private static func owner(in db: Database) throws -> String? {
        try String.fetchOne(
            db, sql: "SELECT value FROM setting WHERE name = ?", arguments: [SQLiteStorage.instanceSetting])
    }
}

extension StorageError {
    fileprivate static func otherInstance(path: String, owner: String) -> StorageError {
        StorageError(
            code: .otherInstance, operation: "open the database \(path)", reason: "it belongs to another instance",
            hresult: .alreadyExists, facts: [Fact("instance of the database", owner)],
            advice: [
                Advice(
                    "Give this instance a database of its own; when the other one is lost, take the database over with "
                        + "`signet init ... --preserve-database`."),
                "When the database was restored into this instance's directory, remove the file instance-id there.",
            ])
    }
}
