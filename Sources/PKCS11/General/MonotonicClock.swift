internal import Glibc

/// Nanoseconds of a clock that nobody sets: for durations, never for dates.
enum MonotonicClock {
    static var now: UInt64 { self.read(CLOCK_MONOTONIC) }

    /// The same as of the kernel's last tick, up to 10 ms ago: for what is timed at every signature, since it costs a tenth.
    static var recent: UInt64 { self.read(CLOCK_MONOTONIC_COARSE) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static func deadline(at nanoseconds: UInt64) -> timespec {
        timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}

/// The clock by which a token's threads wait, and by which what they do takes too long: that of the host, or a test's.
package struct TokenClock: Sendable {
    /// `nil` for the host's.
    private let given: (@Sendable () -> UInt64)?

    /// ``MonotonicClock``
    package static let system = TokenClock(given: nil)

    private init(given: (@Sendable () -> UInt64)?) { self.given = given }

    /// - Parameter now: nanoseconds since any moment; never less than before.
    package init(now: @escaping @Sendable () -> UInt64) { self.given = now }

    var now: UInt64 { self.given?() ?? MonotonicClock.now }

    /// ``MonotonicClock/recent``
    var recent: UInt64 { self.given?() ?? MonotonicClock.recent }

    /// When a thread that waits for a moment has to look whether it has come. A test's clock moves when the test pleases,
    /// and tells nobody.
    func look(for moment: UInt64) -> timespec {
        MonotonicClock.deadline(at: self.given == nil ? moment : MonotonicClock.now + 2_000_000)
    }
}

extension UnsafeMutablePointer<pthread_cond_t> {
    /// Prepares a condition whose deadlines are those of ``MonotonicClock/deadline(at:)``.
    func initializeMonotonic() {
        var monotonic = pthread_condattr_t()
        pthread_condattr_init(&monotonic)
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC)
        pthread_cond_init(self, &monotonic)
        pthread_condattr_destroy(&monotonic)
    }
}

extension Duration {
    /// Whole nanoseconds, 0 for a negative duration.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            + UInt64(attoseconds / 1_000_000_000)
    }
}
