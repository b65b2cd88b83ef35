import Foundation

/// Operations of one piece of work, with the wall-clock and the CPU time of the whole process that they took.
package struct Rate: Sendable {
    package let operations: Int
    package let wallSeconds: Double
    package let cpuSeconds: Double

    package var perWallSecond: Double { Double(self.operations) / self.wallSeconds }
    package var perCPUSecond: Double { Double(self.operations) / self.cpuSeconds }
}

package enum Measurement {
    /// Runs `operation` from `workers` tasks for at least `seconds`, all of them on `executor` when there is one.
    ///
    /// - Parameter ramp: seconds for which they run before anything is counted. A thread that was asleep is often woken on
    ///   the processor of another one, and the system takes some ticks of its clock to move it.
    package static func rate(
        workers: Int, seconds: Double, ramp: Double = 0, on executor: (any TaskExecutor)? = nil,
        _ operation: nonisolated(nonsending) @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Rate {
        let span = Span(seconds: seconds, ramp: ramp)
        let (operations, stopwatch) = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<workers {
                group.addTask(executorPreference: executor) {
                    var count = 0
                    while case let now = Stopwatch.now, now < span.end {
                        try await operation(worker)
                        if now >= span.beginning { count += 1 }
                    }
                    return count
                }
            }
            if ramp > 0 { try await Task.sleep(for: .seconds(ramp)) }
            let stopwatch = Stopwatch(since: span.beginning)
            return (try await group.reduce(0, +), stopwatch)
        }
        return stopwatch.rate(of: operations)
    }

    package static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
    }
}

/// When operations are counted that begin then.
struct Span: Sendable {
    let beginning: UInt64
    let end: UInt64

    init(seconds: Double, ramp: Double) {
        self.beginning = Stopwatch.now + UInt64(ramp * 1e9)
        self.end = self.beginning + UInt64(seconds * 1e9)
    }
}

/// Wall-clock and CPU time since a moment.
package struct Stopwatch: Sendable {
    private let start: UInt64
    private let cpu = Stopwatch.cpuSeconds()

    package init() { self.start = Stopwatch.now }

    /// - Parameter start: a moment that was just now, of ``now``.
    init(since start: UInt64) { self.start = start }

    /// Nanoseconds of a clock that only runs forward: what all sides of a comparison look at before each operation.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// - Parameter furtherCPUSeconds: what other processes spent on it.
    package func rate(of operations: Int, furtherCPUSeconds: Double = 0) -> Rate {
        Rate(
            operations: operations, wallSeconds: Double(Stopwatch.now - self.start) / 1e9,
            cpuSeconds: Stopwatch.cpuSeconds() - self.cpu + furtherCPUSeconds)
    }

    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
