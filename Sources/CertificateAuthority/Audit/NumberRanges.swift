/// A set of numbers in few characters, such as `1-5,9`: rows that were deleted together mostly stood together.
struct NumberRanges: Sendable, Equatable, LosslessStringConvertible {
    /// In order, and none touches the next one.
    private(set) var ranges: [ClosedRange<Int64>]

    init(_ numbers: [Int64] = []) {
        self.init(joining: numbers.map { $0...$0 })
    }

    /// Strict: what ``description`` gives, and nothing else.
    init?(_ text: String) {
        var found: [ClosedRange<Int64>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.endIndex - 1], first <= last
            else { return nil }
            found.append(first...last)
        }
        self.init(joining: found)
        guard self.description == text else { return nil }
    }

    private init(joining parts: [ClosedRange<Int64>]) {
        self.ranges = []
        for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, part.lowerBound - 1 <= last.upperBound {
                self.ranges[self.ranges.endIndex - 1] = last.lowerBound...max(last.upperBound, part.upperBound)
            } else {
                self.ranges.append(part)
            }
        }
    }

    var description: String {
        self.ranges.map { $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    func union(_ other: NumberRanges) -> NumberRanges { NumberRanges(joining: self.ranges + other.ranges) }

    func contains(_ number: Int64) -> Bool {
        var (low, high) = (0, self.ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if self.ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low < self.ranges.count && self.ranges[low].contains(number)
    }
}
