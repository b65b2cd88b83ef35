import CertificateAuthority

/// The newest audit entry as the open transaction sees it.
///
/// Kept for one transaction only, in which no other process can append; forgotten when a savepoint is undone.
final class AuditHead {
    private enum State {
        case unknown
        case known(AuditTip?)
    }

    private var state = State.unknown
    private var filter: AuditFilter?

    /// The audit filter, read once in a transaction.
    func filter(reading read: () throws -> AuditFilter) rethrows -> AuditFilter {
        if let filter = self.filter { return filter }
        let filter = try read()
        self.filter = filter
        return filter
    }

    func current(reading read: () throws -> AuditTip?) rethrows -> AuditTip? {
        if case .known(let entry) = self.state { return entry }
        let entry = try read()
        self.state = .known(entry)
        return entry
    }

    func move(to entry: AuditEntry) {
        self.state = .known(AuditTip(sequence: entry.sequence, hash: entry.hash))
    }

    func forget() {
        self.state = .unknown
        self.filter = nil
    }
}
