internal import Synchronization

/// Calls that wait for a card, which `C_Finalize` has to wake.
final class Waiters: Sendable {
    private struct State {
        var count = 0
        var isEnding = false
    }

    private let state = Mutex(State())

    var isEnding: Bool { self.state.withLock { $0.isEnding } }

    /// - Returns: false when nobody may wait any more.
    func enter() -> Bool {
        self.state.withLock { state in
            guard !state.isEnding else { return false }
            state.count += 1
            return true
        }
    }

    func leave() {
        self.state.withLock { $0.count -= 1 }
    }

    /// Wakes all, and returns when none is inside.
    func end() {
        self.state.withLock { $0.isEnding = true }
        while self.state.withLock({ $0.count > 0 }) { Moment.wait(seconds: 0.001) }
    }

    /// Lets them wait again, since the end has failed.
    func resume() {
        self.state.withLock { $0.isEnding = false }
    }
}
