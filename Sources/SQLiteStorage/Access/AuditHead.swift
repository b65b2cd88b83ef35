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
    }
}
