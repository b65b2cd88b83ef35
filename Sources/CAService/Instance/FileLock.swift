import Glibc

/// An advisory lock on a file, which is made when it is not there. It goes with the process, however that ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// - Parameters:
    ///   - operation: `LOCK_EX` or `LOCK_SH`; nobody is waited for.
    ///   - access: as `open` takes it.
    /// - Returns: `nil` when somebody holds it in a way that excludes this one.
    /// - Throws: ``ServiceError`` with code `notWritten`.
    init?(
        _ path: String, _ operation: Int32 = LOCK_EX, access: Int32 = O_RDWR, mode: mode_t = 0o600
    ) throws {
        self.descriptor = open(path, access | O_CREAT | O_CLOEXEC, mode)
        guard self.descriptor >= 0 else { throw ServiceError.notWritten(path, String(cString: strerror(errno))) }
        // The file is closed by `deinit`, which runs for an object that is given up here as well.
        guard self.take(operation) else { return nil }
    }

    /// Holds the lock in another way from now on.
    ///
    /// - Returns: false when somebody else's lock does not let it.
    func take(_ operation: Int32) -> Bool { flock(self.descriptor, operation | LOCK_NB) == 0 }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }
}
