import Synchronization

/// Lets one piece of work in at a time, in the order of arrival. Work goes on to its end even when its caller is
/// cancelled.
final class Turnstile: Sendable {
    private let last = Mutex<Task<Void, Never>?>(nil)

    func run<R: Sendable>(_ work: @escaping @Sendable () async throws -> R) async throws -> R {
        let task = self.last.withLock { last in
            let before = last
            let task = Task {
                await before?.value
                return try await work()
            }
            last = Task { _ = await task.result }
            return task
        }
        return try await task.value
    }
}
