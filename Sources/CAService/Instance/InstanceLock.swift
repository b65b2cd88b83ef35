import Glibc

/// That one service at a time runs an instance: two would settle each other's work as interrupted.
///
/// The lock goes with the process, however it ends.
package final class InstanceLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``ServiceError`` with code `inUse` when another process holds it.
    package init(_ layout: InstanceLayout) throws {
        let path = layout.lockPath
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ServiceError.notWritten(path, String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ServiceError.inUse(layout.directory)
        }
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }
}
