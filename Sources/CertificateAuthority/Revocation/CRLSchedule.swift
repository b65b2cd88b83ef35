import Foundation

/// When base CRLs are valid (MS-CSRA 3.1.4.1.6; protocols.md 5.3).
struct CRLSchedule {
    let period: TimeInterval
    let clockSkew: TimeInterval

    /// How much longer than its period a CRL is valid: a tenth of the period, at most 12 hours, at least one and a
    /// half times the skew, at most the period itself; and the skew.
    var overlap: TimeInterval {
        let base = min(self.period / 10, 12 * 3600)
        return min(max(base, 1.5 * self.clockSkew), self.period) + self.clockSkew
    }

    func thisUpdate(_ now: Date) -> Date { now.addingTimeInterval(-self.clockSkew).wholeSeconds }
    func nextPublish(_ now: Date) -> Date { now.addingTimeInterval(self.period).wholeSeconds }
    func nextUpdate(_ now: Date) -> Date { now.addingTimeInterval(self.period + self.overlap).wholeSeconds }

    /// True when the period since that CRL has passed.
    func isDue(after crl: CRLRecord, now: Date) -> Bool {
        now >= crl.thisUpdate.addingTimeInterval(self.clockSkew + self.period)
    }
}
