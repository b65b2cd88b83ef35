import Diagnostics
import Foundation
import Glibc

/// That one service at a time works with a database, from whatever instance and by whatever name of the file: two would
/// settle each other's work as interrupted.
///
/// The lock goes with the process, however it ends.
package final class DatabaseLock: Sendable {
    private let lock: FileLock

    /// - Throws: ``ServiceError`` with code `inUse` when another process holds it.
    package init(_ instance: Instance) throws {
        let database = URL(filePath: instance.databasePath).resolvingSymlinksInPath().path
        // Readable by all, so that one that root made does not keep the service's own account out.
        guard let lock = try FileLock(database + "-service", access: O_RDONLY, mode: 0o644) else {
            throw ServiceError.databaseInUse(database)
        }
        self.lock = lock
    }
}

extension ServiceError {
    fileprivate static func databaseInUse(_ database: String) -> ServiceError {
        ServiceError(
            code: .inUse, headline: "Another signetd works with the database \(database).", hresult: .alreadyExists,
            advice: ["Stop the other one first, or give this instance a database of its own."])
    }
}
