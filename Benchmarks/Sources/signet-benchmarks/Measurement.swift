import Foundation

/// Operations per second of one piece of work, in wall-clock and in CPU time.
struct Rate {
    let operations: Int
    let wallSeconds: Double
    let cpuSeconds: Double

    var perWallSecond: Double { Double(self.operations) / self.wallSeconds }
    var perCPUSecond: Double { Double(self.operations) / self.cpuSeconds }
}

enum Measurement {
    /// Runs `operation` from `workers` tasks for at least `seconds`.
    static func rate(
        workers: Int, seconds: Double, _ operation: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Rate {
        let clock = ContinuousClock()
        let cpuBefore = Measurement.cpuSeconds()
        let start = clock.now
        let deadline = start + .milliseconds(Int(seconds * 1000))
        let operations = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    var count = 0
                    while clock.now < deadline {
                        try await operation(worker)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        let elapsed = start.duration(to: clock.now).components
        return Rate(
            operations: operations, wallSeconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18,
            cpuSeconds: Measurement.cpuSeconds() - cpuBefore)
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted[sorted.count / 2]
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        let seconds: (timeval) -> Double = { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
