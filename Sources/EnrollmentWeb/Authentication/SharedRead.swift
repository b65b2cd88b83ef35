import Synchronization

/// A read whose result many callers want at the same time. Who comes while it runs shares the next one with all others who
/// do, so that what everybody gets was read after they asked.
final class SharedRead<Value: Sendable>: Sendable {
    private struct State {
        var isRunning = false
        var waiting: [CheckedContinuation<Value, any Error>] = []
    }

    private let read: @Sendable () async throws -> Value
    private let state = Mutex(State())

    init(_ read: @escaping @Sendable () async throws -> Value) {
        self.read = read
    }

    /// How many wait for a read that has not begun.
    var waiting: Int { self.state.withLock { $0.waiting.count } }

    /// - Throws: what the read throws, to all who shared it.
    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let mustStart = self.state.withLock { state in
                state.waiting.append(continuation)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            // A task of its own: the read is for all who wait, whichever of them is cancelled.
            if mustStart { Task { await self.run() } }
        }
    }

    private func run() async {
        while true {
            let callers = self.state.withLock { state in
                let callers = state.waiting
                state.waiting = []
                state.isRunning = !callers.isEmpty
                return callers
            }
            guard !callers.isEmpty else { return }
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await self.read()) } catch { outcome = .failure(error) }
            for caller in callers { caller.resume(with: outcome) }
        }
    }
}
