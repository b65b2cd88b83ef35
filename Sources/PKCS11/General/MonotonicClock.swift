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

extension Duration {
    /// Whole nanoseconds, 0 for a negative duration.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            + UInt64(attoseconds / 1_000_000_000)
    }
}
