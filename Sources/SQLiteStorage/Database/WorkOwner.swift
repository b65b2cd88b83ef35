import CertificateAuthority
import Diagnostics
import Glibc
import Synchronization

/// Which process a request under way or an open intent belongs to, and whether that process still runs.
///
/// Every process that begins work holds a lock on one byte of the file `DATABASE-owners`; the byte's place is the owner's
/// number in its rows. The kernel gives the lock back when the process ends, however it ends, so that a number whose byte
/// is free belongs to nobody any more. The locks are those of open file descriptions (fcntl(2), `F_OFD_SETLK`): two
/// databases opened by one process are two owners. An instance is on a local disk; a database in memory has no owners.
final class WorkOwner: Sendable {
    /// fcntl(2); glibc shows them to C programs with _GNU_SOURCE only.
    private static let getLock: Int32 = 36
    private static let setLock: Int32 = 37

    private struct State {
        var descriptor: Int32?
        var number: Int64?
    }

    private let path: String?
    private let state = Mutex(State())

    /// - Parameter databasePath: `nil` for a database in memory.
    init(databasePath: String?) {
        self.path = databasePath.map { $0 + "-owners" }
    }

    deinit {
        self.state.withLock { state in
            if let descriptor = state.descriptor { close(descriptor) }
        }
    }

    /// This process's number, taken when it is first asked for.
    func number() throws -> Int64? {
        guard let path else { return nil }
        return try self.state.withLock { state in
            if let number = state.number { return number }
            let descriptor = try WorkOwner.open(path, &state)
            while true {
                let number = Int64.random(in: 1..<Int64.max)
                var lock = WorkOwner.byte(number)
                if fcntl(descriptor, WorkOwner.setLock, &lock) == 0 {
                    state.number = number
                    return number
                }
                // Another process has drawn the same number.
                guard errno == EAGAIN || errno == EACCES else { throw WorkOwner.failure(path) }
            }
        }
    }

    /// True while the process that drew the number runs.
    func isAlive(_ number: Int64) throws -> Bool {
        guard let path else { return false }
        return try self.state.withLock { state in
            if state.number == number { return true }
            let descriptor = try WorkOwner.open(path, &state)
            var lock = WorkOwner.byte(number)
            guard fcntl(descriptor, WorkOwner.getLock, &lock) == 0 else { throw WorkOwner.failure(path) }
            return lock.l_type != Int16(F_UNLCK)
        }
    }

    private static func open(_ path: String, _ state: inout State) throws -> Int32 {
        if let descriptor = state.descriptor { return descriptor }
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, DatabaseFile.mode)
        guard descriptor >= 0 else { throw WorkOwner.failure(path) }
        state.descriptor = descriptor
        return descriptor
    }

    private static func byte(_ number: Int64) -> flock {
        flock(
            l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: Int(number), l_len: 1,
            // 0, as open file descriptions want it.
            l_pid: 0)
    }

    private static func failure(_ path: String) -> StorageError {
        .cannotOpen(path: path, reason: String(cString: strerror(errno)), hresult: .writeFault)
    }
}
