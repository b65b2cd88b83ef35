import Foundation

/// How often each user name was given with a wrong password, and how long it has to wait for the next check.
///
/// The first failures cost nothing; then the wait doubles with each, up to a minute. It is short because anybody
/// who knows a name can cause it; clients whose password was verified a moment ago do not feel it. Names that do
/// not exist are counted like others, so that the wait does not tell them apart.
struct FailedAttempts {
    static let freeAttempts = 5
    static let longestWait: TimeInterval = 60
    /// After so long without a failure a name is forgotten.
    static let memory: TimeInterval = 900
    static let maximumNames = 4096

    private struct Record {
        var failures: Int
        var last: Date
    }

    private var records: [String: Record] = [:]

    var count: Int { self.records.count }

    /// Whole seconds until the next check may be made; 0 for now.
    func wait(for name: String, at now: Date) -> Int {
        guard let record = self.records[name], record.failures >= Self.freeAttempts else { return 0 }
        let exponent = Double(min(record.failures - Self.freeAttempts, 16))
        let end = record.last.addingTimeInterval(min(exp2(exponent), Self.longestWait))
        return max(0, Int(end.timeIntervalSince(now).rounded(.up)))
    }

    /// Counts a check as failed before its outcome is known, so that many at once do not all pass.
    mutating func begin(_ name: String, at now: Date) {
        if self.records[name] == nil, self.records.count >= Self.maximumNames { self.makeRoom(at: now) }
        let previous = self.records[name].flatMap { now.timeIntervalSince($0.last) < Self.memory ? $0.failures : nil }
        self.records[name] = Record(failures: (previous ?? 0) + 1, last: now)
    }

    mutating func succeeded(_ name: String) {
        self.records[name] = nil
    }

    private mutating func makeRoom(at now: Date) {
        self.records = self.records.filter { now.timeIntervalSince($0.value.last) < Self.memory }
        guard self.records.count >= Self.maximumNames else { return }
        // Half of them, the oldest, so that the sorting is paid once in many failures.
        let oldest = self.records.sorted { $0.value.last < $1.value.last }.prefix(Self.maximumNames / 2)
        for name in oldest.map(\.key) { self.records[name] = nil }
    }
}
