internal import DeviceProfiles
internal import Glibc
internal import Synchronization

/// Holds the ledger and lets one caller at a time use it, among all threads and all processes that share its file.
final class LedgerStore: Sendable {
    /// `nil` keeps the ledger in memory.
    private let path: String?
    /// The ledger when there is no file.
    private let memory = Mutex(Ledger())

    init(path: String?) {
        self.path = path
    }

    /// Runs `body` with the ledger; what it changes is stored when it returns.
    ///
    /// - Throws: ``SimulatorError`` when the file cannot be read before, or written after.
    func withLedger(_ body: (inout Ledger) -> Void) throws(SimulatorError) {
        try self.memory.withLock { ledger throws(SimulatorError) in
            guard let path = self.path else { return body(&ledger) }
            let lock = try LedgerStore.lock(path + ".lock")
            defer { close(lock) }
            let stored = try LedgerStore.read(path)
            var changed = stored
            body(&changed)
            if changed != stored { try LedgerStore.write(changed, to: path) }
        }
    }

    /// A lock on a file beside the ledger, since the ledger itself is replaced at each write. Closing releases it.
    private static func lock(_ path: String) throws(SimulatorError) -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LedgerStore.failure(path) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                let failure = LedgerStore.failure(path)
                close(descriptor)
                throw failure
            }
        }
        return descriptor
    }

    private static func read(_ path: String) throws(SimulatorError) -> Ledger {
        guard access(path, F_OK) == 0 else { return Ledger() }
        let text: String
        do {
            text = try TextFile.read(path)
        } catch {
            throw .ledger(path, reason: error.headline)
        }
        guard let ledger = Ledger(text: text) else { throw .ledger(path, reason: "it is not a ledger of this version") }
        return ledger
    }

    /// Writes a new file and puts it in the place of the old one, so that a crash leaves one or the other.
    private static func write(_ ledger: Ledger, to path: String) throws(SimulatorError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LedgerStore.failure(temporary) }
        defer { close(descriptor) }
        var rest = Array(ledger.text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw LedgerStore.failure(temporary) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw LedgerStore.failure(path) }
    }

    private static func failure(_ path: String) -> SimulatorError {
        .ledger(path, reason: String(cString: strerror(errno)))
    }
}
