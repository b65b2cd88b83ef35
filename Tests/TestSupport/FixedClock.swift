internal import Synchronization

/// A clock that stands still until a test moves it. Seconds since 1970.
package final class FixedClock: Sendable {
    private let seconds: Mutex<Int64>

    /// - Parameter seconds: 2026-01-01T00:00:00Z unless another moment matters.
    package init(seconds: Int64 = 1_767_225_600) {
        self.seconds = Mutex(seconds)
    }

    package var now: Int64 { self.seconds.withLock { $0 } }

    package func advance(by seconds: Int64) {
        self.seconds.withLock { $0 += seconds }
    }
}

/// Nanoseconds that pass when a test says so.
package final class StandingTime: Sendable {
    private let nanoseconds = Mutex<UInt64>(1_000_000_000)

    package init() {}

    package var now: UInt64 { self.nanoseconds.withLock { $0 } }

    package func advance(seconds: UInt64) { self.nanoseconds.withLock { $0 += seconds * 1_000_000_000 } }

    /// Lets so much time pass until something has happened: a thread that has answered looks at the time a moment later, and
    /// may begin to wait when the time has passed already.
    package func advance(seconds: UInt64, until isDone: () throws -> Bool) async throws {
        repeat {
            self.advance(seconds: seconds)
            try await Task.sleep(for: .milliseconds(5))
        } while try !isDone()
    }
}
