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
    package static func rate(
        workers: Int, seconds: Double, on executor: (any TaskExecutor)? = nil,
        _ operation: nonisolated(nonsending) @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Rate {
        let stopwatch = Stopwatch()
        let deadline = stopwatch.start + .milliseconds(Int(seconds * 1000))
        let operations = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<workers {
                group.addTask(executorPreference: executor) {
                    var count = 0
                    while ContinuousClock.now < deadline {
                        try await operation(worker)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return stopwatch.rate(of: operations)
    }

    package static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
    }
}

/// Wall-clock and CPU time since a moment.
package struct Stopwatch: Sendable {
    package let start = ContinuousClock.now
    private let cpu = Stopwatch.cpuSeconds()

    package init() {}

    /// - Parameter furtherCPUSeconds: what other processes spent on it.
    package func rate(of operations: Int, furtherCPUSeconds: Double = 0) -> Rate {
        let elapsed = self.start.duration(to: .now).components
        return Rate(
            operations: operations, wallSeconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18,
            cpuSeconds: Stopwatch.cpuSeconds() - self.cpu + furtherCPUSeconds)
    }

    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
