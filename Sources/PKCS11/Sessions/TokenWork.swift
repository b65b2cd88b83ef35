internal import Diagnostics

/// Work for one thread of a token: what is done there, in a session, and who waits for it. Subclasses say what is done,
/// and keep what it gives.
///
/// `@unchecked Sendable`: it belongs to one at a time. To its maker until it is handed over, to the thread that runs it
/// after that, and to its maker again when that was answered without an error. What a call gives that was given up stays
/// with the thread.
open class TokenWork: @unchecked Sendable {
    /// What the session has to allow at least.
    final var access: SessionAccess
    /// It wants a session that was opened for it.
    final let isNew: Bool
    /// The sessions that it is for, by ``Token/epoch``; `nil` when it brings nothing from earlier ones.
    final let epoch: Int?
    /// Nanoseconds that it may take; 0 until it is handed over to a token.
    final var limit: UInt64
    /// Nanoseconds that it may wait for a thread.
    final var queueLimit: UInt64 = 0
    /// When it was handed over.
    final var queued: UInt64 = 0
    /// Who waits for it, if anybody.
    final var continuation: UnsafeContinuation<Void, any Error>?

    /// - Parameters:
    ///   - access: what the session has to allow at least.
    ///   - isNew: open a session for this work, instead of using the thread's.
    ///   - epoch: ``Token/epoch`` of when the handles were found that it uses: in later sessions it is refused, because a
    ///     handle can name another object there.
    ///   - limit: how long it may take; that of the token's ``TokenLimits`` when it is `nil`.
    public init(
        _ access: SessionAccess = .readOnly, isNew: Bool = false, epoch: Int? = nil, limit: Duration? = nil
    ) {
        self.access = access
        self.isNew = isNew
        self.epoch = epoch
        self.limit = limit?.nanoseconds ?? 0
    }

    /// What is done on a thread of the token.
    open func run(_ session: Session) throws {}

    /// Undoes what was done, on the same thread, when ``run(_:)`` returned after its caller was told that it hangs.
    open func undo(_ session: Session) {}

    /// Does the work, in the worker's session.
    func attempt(_ worker: Worker) -> (any Error)? {
        do {
            try self.run(worker.session(self.access, isNew: self.isNew))
            return nil
        } catch {
            return error
        }
    }

    /// Answers who waits. To be called once, by the one who has taken it from where it waited or ran.
    final func answer(_ error: (any Error)?) {
        guard let continuation = self.continuation else { return }
        if let error { continuation.resume(throwing: error) } else { continuation.resume() }
    }

    /// ``answer(_:)`` with the reason why nothing came of it.
    final func giveUp(_ code: TokenWaitError.Code, waited: UInt64, token: TokenIdentification) {
        self.answer(TokenWaitError(code: code, seconds: Double(waited) / 1e9, token: token))
    }
}

/// A closure as work. `@unchecked Sendable` as its superclass: `result` is written by the thread that runs it, and read by its
/// maker after the answer.
// `package` as its superclass's initialiser: Swift 6.3 sees an endless recursion in a class that hides it.
package final class ClosureWork<R: Sendable>: TokenWork, @unchecked Sendable {
    private let body: @Sendable (Session) throws -> R
    private let late: (@Sendable (Session) -> Void)?
    package private(set) var result: R?

    package init(
        _ access: SessionAccess, isNew: Bool, epoch: Int?, limit: Duration?, late: (@Sendable (Session) -> Void)?,
        body: @escaping @Sendable (Session) throws -> R
    ) {
        self.body = body
        self.late = late
        super.init(access, isNew: isNew, epoch: epoch, limit: limit)
    }

    package override func run(_ session: Session) throws {
        let body = self.body
        self.result = try body(session)
    }

    package override func undo(_ session: Session) {
        if let late = self.late { late(session) }
    }
}

/// Work on a thread of the token that needs none of its sessions. `@unchecked Sendable` as its superclass; it adds nothing that
/// changes.
package final class ThreadWork: TokenWork, @unchecked Sendable {
    private let work: @Sendable () -> Void

    package init(_ work: @escaping @Sendable () -> Void) {
        self.work = work
        super.init()
    }

    override func attempt(_ worker: Worker) -> (any Error)? {
        self.work()
        return nil
    }
}
