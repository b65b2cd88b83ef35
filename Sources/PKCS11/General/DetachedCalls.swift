package import Diagnostics
internal import Glibc
internal import Synchronization

/// Runs calls that concern a module and no session, such as looking through its slots, on a thread of their own, one at
/// a time; a call that does not return in time is given up and counted.
package final class DetachedCalls: Sendable {
    private let inside = Atomic(0)

    package init() {}

    /// Threads that have not come back.
    package var running: Int { self.inside.load(ordering: .acquiring) }

    /// - Throws: ``TokenWaitError`` when `body` takes longer than `limit`, or an earlier one is still inside; and
    ///   whatever `body` throws.
    package func run<R: Sendable>(
        limit: Duration, for token: TokenIdentification, _ body: @escaping @Sendable () throws -> R
    ) async throws -> R {
        guard self.inside.compareExchange(expected: 0, desired: 1, ordering: .acquiringAndReleasing).exchanged else {
            throw TokenWaitError(code: .wedged, seconds: 0, token: token)
        }
        let answer = DetachedAnswer()
        return try await withCheckedThrowingContinuation { continuation in
            @Sendable func giveUp(_ code: TokenWaitError.Code, after seconds: Double) {
                guard answer.isFirst() else { return }
                continuation.resume(throwing: TokenWaitError(code: code, seconds: seconds, token: token))
            }
            // On a thread, not in a task: where work of others keeps every shared thread, the limit holds all the same.
            let isWatched = DetachedThread.start {
                if !answer.isGiven(within: limit.nanoseconds) { giveUp(.hung, after: limit / .seconds(1)) }
            }
            let isStarted =
                isWatched
                && DetachedThread.start {
                    let result = Result { try body() }
                    self.inside.store(0, ordering: .releasing)
                    if answer.isFirst() { continuation.resume(with: result) }
                }
            if !isStarted {
                self.inside.store(0, ordering: .releasing)
                giveUp(.wedged, after: 0)
            }
        }
    }
}

/// Who may answer a caller that two could answer. `@unchecked Sendable`: `isGiven` is used under the mutex only, and the
/// pointers never change.
private final class DetachedAnswer: @unchecked Sendable {
    private var isGiven = false
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let given = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(self.mutex, nil)
        self.given.initializeMonotonic()
    }

    func isFirst() -> Bool {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        guard !self.isGiven else { return false }
        self.isGiven = true
        pthread_cond_signal(self.given)
        return true
    }

    /// Waits for the answer, at most `limit` nanoseconds.
    func isGiven(within limit: UInt64) -> Bool {
        var deadline = MonotonicClock.deadline(at: MonotonicClock.now + min(limit, 1 << 62))
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while !self.isGiven {
            if pthread_cond_timedwait(self.given, self.mutex, &deadline) == ETIMEDOUT { return self.isGiven }
        }
        return true
    }

    deinit {
        pthread_cond_destroy(self.given)
        pthread_mutex_destroy(self.mutex)
        self.given.deallocate()
        self.mutex.deallocate()
    }
}
