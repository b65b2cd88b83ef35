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
            let watch = Task {
                // Cancelled when the call returns first; then there is nothing to give up.
                guard (try? await Task.sleep(for: limit)) != nil, answer.isFirst() else { return }
                let (seconds, fraction) = limit.components
                continuation.resume(
                    throwing: TokenWaitError(
                        code: .hung, seconds: Double(seconds) + Double(fraction) / 1e18, token: token))
            }
            let started = DetachedThread.start {
                let result = Result { try body() }
                self.inside.store(0, ordering: .releasing)
                guard answer.isFirst() else { return }
                watch.cancel()
                continuation.resume(with: result)
            }
            if !started, answer.isFirst() {
                self.inside.store(0, ordering: .releasing)
                watch.cancel()
                continuation.resume(throwing: TokenWaitError(code: .wedged, seconds: 0, token: token))
            }
        }
    }
}

/// Who may answer a caller that two could answer.
private final class DetachedAnswer: Sendable {
    private let given = Atomic(false)

    func isFirst() -> Bool { !self.given.exchange(true, ordering: .acquiringAndReleasing) }
}

/// A thread that is not waited for.
private final class DetachedThread {
    private let body: () -> Void

    private init(_ body: @escaping () -> Void) { self.body = body }

    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let reference = Unmanaged.passRetained(DetachedThread(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<DetachedThread>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, reference.toOpaque())
        guard result == 0 else {
            reference.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
