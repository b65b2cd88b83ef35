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

/// That nobody has an instance open while it is replaced by a restored one.
///
/// The lock goes with the process, however it ends.
final class InstanceUse: Sendable {
    private let descriptor: Int32

    /// For whoever opens the instance.
    ///
    /// - Throws: ``ServiceError`` with code `suspended` (0x80094006) while it is being restored.
    convenience init(sharing layout: InstanceLayout) throws {
        try self.init(layout, LOCK_SH, otherwise: ServiceError.suspended(layout.directory))
    }

    /// For whoever restores it.
    ///
    /// - Throws: ``ServiceError`` with code `inUse` while somebody has it open.
    convenience init(excluding layout: InstanceLayout) throws {
        try self.init(layout, LOCK_EX, otherwise: ServiceError.instanceOpen(layout.directory))
    }

    private init(_ layout: InstanceLayout, _ operation: Int32, otherwise error: @autoclosure () -> ServiceError) throws
    {
        let path = layout.useLockPath
        self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw ServiceError.notWritten(path, String(cString: strerror(errno))) }
        guard flock(self.descriptor, operation | LOCK_NB) == 0 else {
            close(self.descriptor)
            throw error()
        }
    }

    /// That nobody else has it open, as long as this object lives.
    ///
    /// - Throws: ``ServiceError`` with code `inUse` while somebody has.
    func excludeOthers(_ layout: InstanceLayout) throws {
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else { throw ServiceError.instanceOpen(layout.directory) }
    }

    deinit {
        close(self.descriptor)
    }
}
