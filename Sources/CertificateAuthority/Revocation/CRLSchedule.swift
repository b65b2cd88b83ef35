import Foundation

/// When CRLs are published and how long they are valid (MS-CSRA 3.1.4.1.6; protocols.md 5.3).
struct CRLSchedule {
    let period: TimeInterval
    let deltaPeriod: TimeInterval?
    let clockSkew: TimeInterval
    /// Used as they are when they are set.
    let fixedOverlap: TimeInterval?
    let fixedDeltaOverlap: TimeInterval?

    init(_ configuration: CAConfiguration) {
        self.period = configuration.crlPeriod
        self.clockSkew = configuration.clockSkew
        self.deltaPeriod = configuration.revocation.deltaPeriod
        self.fixedOverlap = configuration.revocation.overlap
        self.fixedDeltaOverlap = configuration.revocation.deltaOverlap
    }

    func period(of kind: CRLKind) -> TimeInterval {
        kind == .base ? self.period : self.deltaPeriod ?? self.period
    }

    /// How much longer than its period a CRL is valid. Base: a tenth of the period, at most 12 hours; delta: its period,
    /// at most 12 hours. Both at least one and a half times the skew, at most the period of the base; and the skew.
    func overlap(of kind: CRLKind) -> TimeInterval {
        if let fixed = kind == .base ? self.fixedOverlap : self.fixedDeltaOverlap { return fixed }
        let longest: TimeInterval = 12 * 3600
        let wanted = min(kind == .base ? self.period / 10 : self.period(of: .delta), longest)
        return min(max(wanted, 1.5 * self.clockSkew), self.period) + self.clockSkew
    }

    func thisUpdate(_ now: Date) -> Date { now.addingTimeInterval(-self.clockSkew).wholeSeconds }

    func nextPublish(_ now: Date, _ kind: CRLKind) -> Date {
        now.addingTimeInterval(self.period(of: kind)).wholeSeconds
    }

    func nextUpdate(_ now: Date, _ kind: CRLKind) -> Date {
        now.addingTimeInterval(self.period(of: kind) + self.overlap(of: kind)).wholeSeconds
    }

    /// True when the period since that CRL has passed; also when nothing was revoked meanwhile.
    func isDue(after crl: CRLRecord, now: Date) -> Bool {
        now >= crl.issuedWhen.addingTimeInterval(self.period(of: crl.kind))
    }
}
