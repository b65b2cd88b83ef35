internal import Diagnostics
internal import Synchronization

/// Work for one thread of a token, and the answer to whoever waits for it.
final class WorkerJob: Sendable {
    /// What a job has to have before it can run, and how long it may take.
    struct Terms: Sendable {
        var access: SessionAccess
        /// It wants a session that was opened for it.
        var isNew: Bool
        /// Nanoseconds that the body may take.
        var limit: UInt64
        /// Nanoseconds that it may wait for a thread.
        var queueLimit: UInt64
    }

    /// Does the work, and returns the error that it failed with.
    enum Work: Sendable {
        case inSession(@Sendable (Session) -> (any Error)?)
        /// Work that brings its own session.
        case onThread(@Sendable () -> Void)
    }

    let terms: Terms
    private let token: TokenIdentification
    private let work: Work
    /// Runs in place of the answer when the caller was answered before the body returned.
    private let late: (@Sendable (Session) -> Void)?
    /// Answers the caller: with the error, or with what the body left.
    private let answer: @Sendable ((any Error)?) -> Void
    private let isAnswered = Atomic(false)
    let queued = MonotonicClock.now

    init(
        _ terms: Terms, token: TokenIdentification, late: (@Sendable (Session) -> Void)? = nil,
        _ work: Work, answer: @escaping @Sendable ((any Error)?) -> Void
    ) {
        self.terms = terms
        self.token = token
        self.late = late
        self.work = work
        self.answer = answer
    }

    /// - Returns: `false` when it got no session, did nothing, and may be handed to another worker: only when
    ///   `mayHandBack` allows that.
    func run(_ worker: Worker, mayHandBack: Bool) -> Bool {
        let error = self.error(of: worker)
        if mayHandBack, let error = error as? PKCS11Error, error.function == "C_OpenSession",
            error.returnValue == .sessionCount
        {
            return false
        }
        worker.discardBrokenSession()
        if self.mayAnswer() {
            worker.answer { self.answer(error) }
        } else if let late = self.late {
            // No session, no one to tell: the device is as unreachable as it was said to be.
            if let session = try? worker.session(self.terms.access, isNew: false) { late(session) }
        }
        return true
    }

    private func error(of worker: Worker) -> (any Error)? {
        do throws(PKCS11Error) {
            switch self.work {
            case .inSession(let body): return body(try worker.session(self.terms.access, isNew: self.terms.isNew))
            case .onThread(let body):
                body()
                return nil
            }
        } catch {
            return error
        }
    }

    /// True for the first one who asks: the one who answers the caller.
    private func mayAnswer() -> Bool { !self.isAnswered.exchange(true, ordering: .acquiringAndReleasing) }

    /// Answers the caller with an error, unless it has been answered.
    func giveUp(_ code: TokenWaitError.Code, waited: UInt64) {
        guard self.mayAnswer() else { return }
        self.answer(TokenWaitError(code: code, seconds: Double(waited) / 1e9, token: self.token))
    }
}
