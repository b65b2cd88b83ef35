import CertificateAuthority
import GRDB
import Synchronization

/// Collects the writes of concurrent callers and commits them together, because the sync to the disk is what a
/// commit costs.
///
/// Whoever finds the writer idle starts it at once; whoever comes while a transaction runs is part of the next one.
/// All of it happens on the queue of GRDB's writing connection, off the cooperative pool.
final class GroupCommit: Sendable {
    /// Bounds how long one transaction can keep other processes out.
    static let largestGroup = 256

    private struct State {
        var waiting: [PendingWrite] = []
        var isRunning = false
        var statistics = StorageStatistics()
    }

    private let database: any DatabaseWriter
    private let owner: WorkOwner
    private let state = Mutex(State())

    init(database: any DatabaseWriter, owner: WorkOwner) {
        self.database = database
        self.owner = owner
    }

    var statistics: StorageStatistics {
        self.state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.waiting.count
            return statistics
        }
    }

    func run<R: Sendable>(_ body: @escaping @Sendable (any StorageWriting) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let write = PendingWrite(body, resuming: continuation)
            let mustStart = self.state.withLock { state in
                state.waiting.append(write)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            if mustStart { self.start() }
        }
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
            let mustContinue = self.state.withLock { state in
                state.isRunning = !state.waiting.isEmpty
                return state.isRunning
            }
            if mustContinue { self.start() }
        }
    }

    private func commit(_ group: [PendingWrite], _ db: Database) {
        var performed: [PendingWrite.Completion] = []
        do {
            try db.inTransaction(.immediate) {
                let head = AuditHead()
                for write in group {
                    performed.append(write.perform(SQLiteWriter(db: db, head: head, owner: self.owner)))
                    // On a full disk SQLite may undo the whole transaction, and with it the work of those who came
                    // before (https://www.sqlite.org/lang_transaction.html, section 3).
                    guard db.isInsideTransaction else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                }
                return .commit
            }
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
    }
}

/// One caller's closure, with the caller who waits for it.
struct PendingWrite: Sendable {
    /// Resumes the caller: with the closure's outcome after a commit, with the error of the commit otherwise.
    typealias Completion = @Sendable (_ commitError: (any Error)?) -> Void

    /// Runs the closure in a savepoint of the open transaction.
    let perform: @Sendable (SQLiteWriter) -> Completion
    /// Resumes the caller without having run the closure.
    let fail: @Sendable (any Error) -> Void

    init<R: Sendable>(
        _ body: @escaping @Sendable (any StorageWriting) throws -> R,
        resuming continuation: CheckedContinuation<R, any Error>
    ) {
        self.fail = { continuation.resume(throwing: $0) }
        self.perform = { writer in
            let outcome = Result { try PendingWrite.inSavepoint(writer, body) }
            return { commitError in
                guard let commitError, case .success = outcome else { return continuation.resume(with: outcome) }
                continuation.resume(throwing: commitError)
            }
        }
    }

    private static func inSavepoint<R>(
        _ writer: SQLiteWriter, _ body: (any StorageWriting) throws -> R
    ) throws -> R {
        try StorageError.mapping("write to the database") {
            // Cached statements, where GRDB's own savepoints compile theirs each time.
            try writer.db.cachedStatement(sql: "SAVEPOINT caller").execute()
            do {
                let value = try body(writer)
                try writer.db.cachedStatement(sql: "RELEASE caller").execute()
                return value
            } catch {
                writer.head.forget()
                // On a full disk SQLite may have undone the whole transaction, and the savepoint with it.
                if writer.db.isInsideTransaction {
                    try writer.db.cachedStatement(sql: "ROLLBACK TO caller").execute()
                    try writer.db.cachedStatement(sql: "RELEASE caller").execute()
                }
                throw error
            }
        }
    }
}
