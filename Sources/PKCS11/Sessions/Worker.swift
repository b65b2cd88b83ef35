internal import Diagnostics

/// One thread's hold on its token: at most one session, opened when it is needed and reused while it is sound.
final class Worker {
    private let slot: Slot
    private let token: TokenIdentification
    private var current: Session?

    init(slot: Slot, token: TokenIdentification) {
        self.slot = slot
        self.token = token
    }

    /// A session that allows at least `access`, opened now when `isNew`.
    func session(_ access: SessionAccess, isNew: Bool) throws(PKCS11Error) -> Session {
        if !isNew, let session = self.current, !session.isBroken, access == .readOnly || session.access == .readWrite {
            return session
        }
        // The old session closes before the new one opens: some devices have one only.
        self.current = nil
        let session = try Session(slot: self.slot, token: self.token, access: access)
        self.current = session
        return session
    }

    /// Closes the session when a call in it failed.
    func discardBrokenSession() {
        if self.current?.isBroken == true { self.current = nil }
    }
}
