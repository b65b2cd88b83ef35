internal import Synchronization

/// Work for one thread of a token, and the answer to whoever waits for it.
final class WorkerJob: Sendable {
    /// Answers `false` when it got no session, did nothing, and may be handed to another worker: only when the
    /// second argument allows that.
    typealias Body = @Sendable (_ worker: Worker, _ mayHandBack: Bool, _ job: WorkerJob) -> Bool

    private let body: Body
    /// Answers the caller in place of the body.
    private let fail: @Sendable (TokenWaitError.Code, _ waited: UInt64) -> Void
    private let isAnswered = Atomic(false)
    /// Nanoseconds that the body may take.
    let limit: UInt64
    /// Nanoseconds that it may wait for a thread.
    let queueLimit: UInt64
    let queued = MonotonicClock.now

    init(
        limit: UInt64, queueLimit: UInt64, fail: @escaping @Sendable (TokenWaitError.Code, UInt64) -> Void,
        body: @escaping Body
    ) {
        self.limit = limit
        self.queueLimit = queueLimit
        self.fail = fail
        self.body = body
    }

    func run(_ worker: Worker, mayHandBack: Bool) -> Bool { self.body(worker, mayHandBack, self) }

    /// True for the first one who asks: the one who answers the caller.
    func mayAnswer() -> Bool { !self.isAnswered.exchange(true, ordering: .acquiringAndReleasing) }

    /// Answers the caller with an error, unless it has been answered.
    func giveUp(_ code: TokenWaitError.Code, waited: UInt64) {
        if self.mayAnswer() { self.fail(code, waited) }
    }
}
