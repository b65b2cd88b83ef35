internal import KeyProvider
internal import Synchronization

/// Keeps a token's health and tells changes to whoever listens.
final class HealthMonitor: Sendable {
    private struct State {
        var health: TokenHealth
        var listeners: [Int: AsyncStream<TokenHealth>.Continuation] = [:]
        var nextListener = 0
    }

    private let state: Mutex<State>
    private let up = Atomic(true)
    private let clock: @Sendable () -> Int64

    init(clock: @escaping @Sendable () -> Int64) {
        self.clock = clock
        self.state = Mutex(State(health: TokenHealth(state: .up, since: clock())))
    }

    /// Cheap enough to be asked after every signature.
    var isUp: Bool { self.up.load(ordering: .relaxed) }

    var health: TokenHealth { self.state.withLock { $0.health } }

    /// - Parameter cause: `nil` keeps the last one, which then tells what the token came back from.
    func set(_ new: TokenHealth.State, _ cause: TokenHealth.Cause? = nil, recovered: Bool = false) {
        let now = self.clock()
        self.state.withLock { state in
            if recovered { state.health.recoveries += 1 }
            let isSame = state.health.state == new && (cause == nil || cause == state.health.cause)
            guard !isSame || recovered else { return }
            if state.health.state != new { state.health.since = now }
            state.health.state = new
            if let cause { state.health.cause = cause }
            self.up.store(new == .up, ordering: .relaxed)
            for listener in state.listeners.values { listener.yield(state.health) }
        }
    }

    func changes() -> AsyncStream<TokenHealth> {
        AsyncStream(bufferingPolicy: .bufferingNewest(16)) { continuation in
            let number = self.state.withLock { state in
                state.nextListener += 1
                state.listeners[state.nextListener] = continuation
                continuation.yield(state.health)
                return state.nextListener
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
            }
        }
    }

    func finish() {
        let listeners = self.state.withLock { state in
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
