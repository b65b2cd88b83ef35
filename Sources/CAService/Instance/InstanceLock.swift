import Glibc

/// That one service at a time runs an instance: two would settle each other's work as interrupted.
///
/// The lock goes with the process, however it ends.
package final class InstanceLock: Sendable {
    private let lock: FileLock

    /// - Throws: ``ServiceError`` with code `inUse` when another process holds it.
    package init(_ layout: InstanceLayout) throws {
        guard let lock = try FileLock(layout.lockPath) else { throw ServiceError.inUse(layout.directory) }
        self.lock = lock
    }
}

/// That nobody has an instance open while it is replaced by a restored one.
///
/// The lock goes with the process, however it ends.
final class InstanceUse: Sendable {
    private let lock: FileLock

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
        guard let lock = try FileLock(layout.useLockPath, operation) else { throw error() }
        self.lock = lock
    }

    /// That nobody else has it open, as long as this object lives.
    ///
    /// - Throws: ``ServiceError`` with code `inUse` while somebody has.
    func excludeOthers(_ layout: InstanceLayout) throws {
        guard self.lock.take(LOCK_EX) else { throw ServiceError.instanceOpen(layout.directory) }
    }
}
