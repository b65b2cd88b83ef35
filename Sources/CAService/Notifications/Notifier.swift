import CertificateAuthority
import Foundation

/// Tells a program of the operator's what will expire: each thing once at each step before its end.
///
/// A notice counts as given when the program has ended with code 0; what it had not taken is given again.
package struct Notifier: Sendable {
    private static let batch = 500

    private let instance: Instance
    private let program: HookProgram
    /// Descending, in seconds.
    private let steps: [TimeInterval]

    /// - Returns: `nil` when the configuration names no program.
    package init?(instance: Instance) {
        guard let settings = instance.configuration.notifications else { return nil }
        self.instance = instance
        self.program = HookProgram(
            path: FilePaths.resolve(settings.program, in: instance.directory),
            deadlineSeconds: settings.deadlineSeconds)
        self.steps = settings.stepsDays.sorted(by: >).map { TimeInterval($0) * 86_400 }
    }

    /// - Returns: how many notices were given.
    package func notify() async throws -> Int {
        let now = self.instance.surroundings.now()
        var count = try await self.notifyOwn(now)
        for (index, step) in self.steps.enumerated() {
            let next = index + 1 < self.steps.count ? self.steps[index + 1] : 0
            count += try await self.notifyIssued(step, above: next, now)
        }
        return count
    }

    /// Certificates by a mark for each step: those that expire before it were told of. Whatever is within a smaller
    /// step already is left to that one.
    private func notifyIssued(_ step: TimeInterval, above next: TimeInterval, _ now: Date) async throws -> Int {
        let subject = "certificates"
        let stepDays = Int(step / 86_400)
        var count = 0
        while true {
            let mark = try await self.instance.storage.read { try $0.notice(subject, step: stepDays) }
            let after = max(mark.map(Date.init(milliseconds:)) ?? now, now.addingTimeInterval(next))
            let until = now.addingTimeInterval(step)
            guard after < until else { return count }
            let found = try await self.expiring(after, until)
            if !found.isEmpty { try await self.run(found.map(ExpiryNotice.init), now) }
            let isLast = found.count < Notifier.batch
            let reached = isLast ? until : found.last?.notAfter ?? until
            try await self.instance.storage.write {
                try $0.setNotice(subject, step: stepDays, to: reached.milliseconds)
            }
            count += found.count
            if isLast { return count }
        }
    }

    /// One batch, which never ends between two certificates of the same end.
    private func expiring(_ after: Date, _ until: Date) async throws -> [ExpiringCertificate] {
        try await self.instance.storage.read { db in
            let found = try db.expiringCertificates(after: after, until: until, limit: Notifier.batch)
            guard found.count == Notifier.batch, let last = found.last?.notAfter else { return found }
            let together = try db.expiringCertificates(
                after: last.addingTimeInterval(-0.001), until: last, limit: .max)
            return found.filter { $0.notAfter < last } + together
        }
    }

    /// Everything else is a handful, of which each remembers its steps.
    private func notifyOwn(_ now: Date) async throws -> Int {
        let notices = try await self.instance.ownNotices(within: self.steps.first ?? 0, now: now)
        var fresh: [(notice: ExpiryNotice, subject: String, step: Int)] = []
        for notice in notices {
            let subject = "\(notice.kind.rawValue) \(notice.identifier) \(notice.name)"
            let step = self.step(of: notice, now)
            let isKnown = try await self.instance.storage.read { try $0.notice(subject, step: step) != nil }
            if !isKnown { fresh.append((notice, subject, step)) }
        }
        guard !fresh.isEmpty else { return 0 }
        try await self.run(fresh.map(\.notice), now)
        let given = fresh.map { ($0.subject, $0.step) }
        try await self.instance.storage.write { db in
            for (subject, step) in given { try db.setNotice(subject, step: step, to: now.milliseconds) }
        }
        return fresh.count
    }

    /// The smallest step that was reached, in days; 0 after the end. For CRLs, whose ends are near by nature, how bad
    /// it is.
    private func step(of notice: ExpiryNotice, _ now: Date) -> Int {
        if notice.kind == .crl || notice.kind == .deltaCRL { return -notice.level.rawValue }
        let left = notice.expires?.timeIntervalSince(now) ?? 0
        guard left > 0 else { return 0 }
        return Int((self.steps.last { left <= $0 } ?? self.steps.first ?? 0) / 86_400)
    }

    private func run(_ notices: [ExpiryNotice], _ now: Date) async throws {
        try await self.program.run(
            input: ExpiryNotice.json(notices, instance: self.instance.configuration.name, generated: now))
    }
}

extension Date {
    fileprivate init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    fileprivate var milliseconds: Int64 { Int64((self.timeIntervalSince1970 * 1000).rounded()) }
}
