import Diagnostics
import Foundation
import Glibc

/// That one service at a time works with a database, from whatever instance and by whatever name of the file: two would
/// settle each other's work as interrupted.
///
/// The lock goes with the process, however it ends.
package final class DatabaseLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``ServiceError`` with code `inUse` when another process holds it.
    package init(_ instance: Instance) throws {
        let database = URL(filePath: instance.databasePath).resolvingSymlinksInPath().path
        let path = database + "-service"
        // Readable by all, so that one that root made does not keep the service's own account out.
        let descriptor = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw ServiceError.notWritten(path, String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ServiceError.databaseInUse(database)
        }
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }
}

extension ServiceError {
    fileprivate static func databaseInUse(_ database: String) -> ServiceError {
        ServiceError(
            code: .inUse, headline: "Another signetd works with the database \(database).", hresult: .alreadyExists,
            advice: ["Stop the other one first, or give this instance a database of its own."])
    }
}
