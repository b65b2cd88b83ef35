import Foundation

/// Several ways to do one thing, measured in turns, so that what else the machine does meets all of them alike.
package struct Interleaved: Sendable {
    package struct Side: Sendable {
        package let name: String
        package let measure: @Sendable () async throws -> Rate

        package init(_ name: String, _ measure: @escaping @Sendable () async throws -> Rate) {
            self.name = name
            self.measure = measure
        }
    }

    /// What one side did beside the first one: medians over the rounds.
    package struct Result: Sendable {
        package let name: String
        package let perWallSecond: Double
        package let perCPUSecond: Double
        /// Rate as a part of the first side's in the same round.
        package let ratio: Double
        /// The same in operations per CPU second.
        package let cpuRatio: Double
        /// Each round by itself.
        package let rounds: [Rate]

        /// The same beside another side than the first one.
        package func beside(_ other: Result, named name: String) -> Result {
            Result(name: name, rounds: self.rounds, beside: other.rounds)
        }

        init(name: String, rounds: [Rate], beside others: [Rate]) {
            let pairs = Array(zip(rounds, others))
            self.name = name
            self.rounds = rounds
            self.perWallSecond = Measurement.median(rounds.map(\.perWallSecond))
            self.perCPUSecond = Measurement.median(rounds.map(\.perCPUSecond))
            self.ratio = Measurement.median(pairs.map { $0.perWallSecond / $1.perWallSecond })
            self.cpuRatio = Measurement.median(pairs.map { $0.perCPUSecond / $1.perCPUSecond })
        }
    }

    package static func run(rounds: Int, _ sides: [Side]) async throws -> [Result] {
        var rates = [[Rate]](repeating: [], count: sides.count)
        for round in 0..<(rounds + 1) {
            for (index, side) in sides.enumerated() {
                let rate = try await side.measure()
                // The first round warms up.
                if round > 0 { rates[index].append(rate) }
            }
        }
        return sides.indices.map { Result(name: sides[$0].name, rounds: rates[$0], beside: rates[0]) }
    }

    package static let header =
        "                                                            per s   per CPU-s   ratio   CPU ratio   (medians)"

    package static func line(_ title: String, _ result: Result) -> String {
        let name = "\(title)  \(result.name)".padding(toLength: 56, withPad: " ", startingAt: 0)
        return name
            + String(
                format: "%9.0f   %9.0f   %5.3f   %9.3f", result.perWallSecond, result.perCPUSecond, result.ratio,
                result.cpuRatio)
    }
}
