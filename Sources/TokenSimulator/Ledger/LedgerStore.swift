internal import DeviceProfiles
internal import Glibc
internal import Synchronization

/// Holds the ledger and lets one caller at a time change it, among all threads and all processes that share its file.
final class LedgerStore: Sendable {
    private struct Held {
        var ledger = Ledger()
        /// The number of the change that the ledger is as of; `nil` before it was first read.
        var change: UInt64?
    }

    /// `nil` keeps the ledger in memory.
    private let path: String?
    /// The ledger when there is no file, and the one last read when there is.
    private let held = Mutex(Held())
    /// A file beside the ledger, since the ledger itself is replaced at each write. It is locked by who changes the
    /// ledger, and it counts the changes, so that a reader learns for the price of eight bytes that there is none.
    private let counter: Int32

    init(path: String?) {
        self.path = path
        self.counter = path.map { open($0 + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600) } ?? -1
    }

    deinit {
        if self.counter >= 0 { close(self.counter) }
    }

    /// Runs `body` with the ledger; what it changes is stored when it returns.
    ///
    /// - Throws: ``SimulatorError`` when the file cannot be read before, or written after.
    func withLedger<R>(_ body: (inout Ledger) -> R) throws(SimulatorError) -> R {
        try self.held.withLock { held throws(SimulatorError) in
            guard let path = self.path else {
                held.change = (held.change ?? 0) + 1
                return body(&held.ledger)
            }
            let lock = try LedgerStore.lock(path + ".lock")
            defer { close(lock) }
            let stored = try LedgerStore.read(path)
            var changed = stored
            let result = body(&changed)
            var number = LedgerStore.number(lock)
            if changed != stored {
                try LedgerStore.write(changed, to: path)
                number += 1
                guard pwrite(lock, &number, 8, 0) == 8 else { throw LedgerStore.failure(path + ".lock") }
            }
            held = Held(ledger: changed, change: number)
            return result
        }
    }

    /// The ledger as it is now, and a number that differs when it has changed. A ledger that cannot be read is taken
    /// as it was.
    func current() -> (ledger: Ledger, change: UInt64) {
        self.held.withLock { held in
            guard let path = self.path else { return (held.ledger, held.change ?? 0) }
            let number = LedgerStore.number(self.counter)
            if held.change != number {
                do {
                    held = Held(ledger: try LedgerStore.read(path), change: number)
                } catch {
                    Simulator.log(error)
                }
            }
            return (held.ledger, number)
        }
    }

    private static func number(_ descriptor: Int32) -> UInt64 {
        var number: UInt64 = 0
        return pread(descriptor, &number, 8, 0) == 8 ? number : 0
    }

    /// A lock of its own for each change: one that a process has by an inherited descriptor would be its child's too.
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
