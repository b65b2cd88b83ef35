import CertificateAuthority
import Dispatch
import GRDB
import Synchronization

/// Collects the writes of concurrent callers and commits them together, because the sync to the disk is what a
/// commit costs.
///
/// Whoever comes while a transaction runs is part of the next one. Where callers were seen to come together, a transaction
/// waits a moment until most of them are back, because what they write lies on the same pages, and each page is written
/// once. A caller who is alone starts the writer at once.
///
/// All of it happens on the queue of GRDB's writing connection, off the cooperative pool.
final class GroupCommit: Sendable {
    /// Bounds how long one transaction can keep other processes out.
    static let largestGroup = 256
    /// Larger groups than that are not worth waiting for.
    static let sufficientGroup = 16
    /// The longest wait for company.
    static let defaultPatience = Duration.milliseconds(2)

    private enum Phase: Equatable {
        case idle
        /// Waits for company; the number tells one wait from another.
        case gathering(Int)
        case running
    }

    private struct State {
        var waiting: [PendingWrite] = []
        var phase = Phase.idle
        var gatherings = 0
        /// How many callers were seen to write at the same time, not long ago.
        var company = 1
        var statistics = StorageStatistics()

        /// Most of those who are about, and never more than are worth it.
        var isWorthStarting: Bool {
            self.waiting.count >= min(GroupCommit.sufficientGroup, self.company * 3 / 4)
        }
    }

    private enum Step {
        case start
        case gather(Int)
        case nothing
    }

    private let database: any DatabaseWriter
    private let owner: WorkOwner
    private let patience: Duration
    private let state = Mutex(State())

    init(database: any DatabaseWriter, owner: WorkOwner, patience: Duration = GroupCommit.defaultPatience) {
        self.database = database
        self.owner = owner
        self.patience = patience
    }

    var statistics: StorageStatistics {
        self.state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.waiting.count
            return statistics
        }
    }

    var company: Int { self.state.withLock { $0.company } }

    func run<R: Sendable>(_ body: @escaping @Sendable (any StorageWriting) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let write = PendingWrite(body, resuming: continuation)
            let step = self.state.withLock { state in
                state.waiting.append(write)
                return self.nextStep(&state)
            }
            self.take(step)
        }
    }

    /// What follows a new write or the end of a transaction.
    private func nextStep(_ state: inout State) -> Step {
        guard state.phase != .running, !state.waiting.isEmpty else { return .nothing }
        if state.isWorthStarting {
            state.phase = .running
            return .start
        }
        guard state.phase == .idle else { return .nothing }
        state.gatherings += 1
        state.phase = .gathering(state.gatherings)
        return .gather(state.gatherings)
    }

    private func take(_ step: Step) {
        switch step {
        case .start: self.start()
        case .gather(let number):
            let (seconds, attoseconds) = self.patience.components
            let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
            DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) {
                self.endGathering(number)
            }
        case .nothing: break
        }
    }

    /// Starts with those who came; no more of them are expected the next time, so that who is left alone waits once.
    private func endGathering(_ number: Int) {
        let mustStart = self.state.withLock { state in
            guard state.phase == .gathering(number) else { return false }
            state.company = state.waiting.count
            state.phase = .running
            return true
        }
        if mustStart { self.start() }
    }

    /// One group an access, so that reads that share the connection (in memory) get their turn between groups.
    private func start() {
        self.database.asyncWriteWithoutTransaction { db in
            let group = self.state.withLock { state in
                let group = Array(state.waiting.prefix(GroupCommit.largestGroup))
                state.waiting.removeFirst(group.count)
                return group
            }
            self.commit(group, db)
            let step = self.state.withLock { state in
                state.company = max(group.count + state.waiting.count, state.company * 7 / 8)
                state.phase = .idle
                return self.nextStep(&state)
            }
            self.take(step)
        }
    }

    /// In a savepoint SQLite keeps a copy of every page that is changed, which costs as much as the change. Nearly all
    /// writes succeed, so that they are run without; when one throws, all are undone and run again, in savepoints.
    private func commit(_ group: [PendingWrite], _ db: Database) {
        if self.commit(group, db, inSavepoints: false) { return }
        _ = self.commit(group, db, inSavepoints: true)
    }

    /// - Returns: false when a write threw that had no savepoint: then nothing is stored, and no caller knows.
    private func commit(_ group: [PendingWrite], _ db: Database, inSavepoints: Bool) -> Bool {
        var performed: [PendingWrite.Completion] = []
        var isUndone = false
        do {
            try db.inTransaction(.immediate) {
                let changes = try ChangeCollector.begin(db)
                defer { changes?.end() }
                let writer = SQLiteWriter(
                    db: db, head: AuditHead(), owner: self.owner, statements: PathStatements(db), changes: changes)
                for write in group {
                    let (completion, hasThrown) = write.perform(writer, inSavepoints)
                    performed.append(completion)
                    if hasThrown, !inSavepoints {
                        isUndone = true
                        return .rollback
                    }
                    // On a full disk SQLite may undo the whole transaction, and with it the work of those who came
                    // before (https://www.sqlite.org/lang_transaction.html, section 3).
                    guard db.isInsideTransaction else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                }
                try changes?.store()
                return .commit
            }
            // A lone write needs no savepoint to be undone alone.
            if isUndone, group.count > 1 { return false }
            self.state.withLock { state in
                state.statistics.commits += 1
                state.statistics.writes += group.count
            }
            for completion in performed { completion(nil) }
        } catch {
            let failure = (error as? DatabaseError).map { StorageError($0, operation: "commit") } ?? error
            for completion in performed { completion(failure) }
            for write in group.dropFirst(performed.count) { write.fail(failure) }
        }
        return true
    }
}

/// One caller's closure, with the caller who waits for it.
struct PendingWrite: Sendable {
    /// Resumes the caller: with the closure's outcome after a commit, with the error of the commit otherwise.
    typealias Completion = @Sendable (_ commitError: (any Error)?) -> Void

    /// Runs the closure in the open transaction, in a savepoint when that is wanted, and tells whether it threw.
    let perform: @Sendable (SQLiteWriter, _ inSavepoint: Bool) -> (Completion, hasThrown: Bool)
    /// Resumes the caller without having run the closure.
    let fail: @Sendable (any Error) -> Void

    init<R: Sendable>(
        _ body: @escaping @Sendable (any StorageWriting) throws -> R,
        resuming continuation: CheckedContinuation<R, any Error>
    ) {
        self.fail = { continuation.resume(throwing: $0) }
        self.perform = { writer, inSavepoint in
            let outcome = Result {
                try inSavepoint
                    ? PendingWrite.inSavepoint(writer, body)
                    : StorageError.mapping("write to the database") { try body(writer) }
            }
            let completion: Completion = { commitError in
                guard let commitError, case .success = outcome else { return continuation.resume(with: outcome) }
                continuation.resume(throwing: commitError)
            }
            if case .failure = outcome { return (completion, true) }
            return (completion, false)
        }
    }

    private static func inSavepoint<R>(
        _ writer: SQLiteWriter, _ body: (any StorageWriting) throws -> R
    ) throws -> R {
        try StorageError.mapping("write to the database") {
            try writer.statements.run(.savepoint)
            do {
                let value = try body(writer)
                try writer.statements.run(.release)
                return value
            } catch {
                writer.head.forget()
                // On a full disk SQLite may have undone the whole transaction, and the savepoint with it.
                if writer.db.isInsideTransaction {
                    try writer.statements.run(.rollback)
                    try writer.statements.run(.release)
                }
                throw error
            }
        }
    }
}
