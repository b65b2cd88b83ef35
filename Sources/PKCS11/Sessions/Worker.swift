internal import Diagnostics

/// One thread's hold on its token: at most one session, opened when it is needed and reused while it is sound.
/// Used by its own thread only.
final class Worker {
    private let slot: Slot
    private let token: TokenIdentification
    private let login: LoginSession
    private var current: Session?
    private var epoch = 0
    private var lastUse: UInt64 = 0

    init(slot: Slot, token: TokenIdentification, login: LoginSession) {
        self.slot = slot
        self.token = token
        self.login = login
    }

    /// The session that is open, if one is.
    var openSession: Session? { self.current }

    /// A session that allows at least `access`, opened now when `isNew`.
    ///
    /// - Throws: ``PKCS11Error`` when none opens, or the token was away since its login.
    func session(_ access: SessionAccess, isNew: Bool) throws(PKCS11Error) -> Session {
        if !isNew, let session = self.current, !session.isBroken, access == .readOnly || session.access == .readWrite {
            return session
        }
        // The old session closes before the new one opens: some devices have one only.
        self.current = nil
        let session = try Session(slot: self.slot, token: self.token, access: access)
        try self.login.requirePresence()
        self.current = session
        return session
    }

    /// Closes a session that was opened before sessions were declared lost, or that was idle for longer than `idleLimit`
    /// while the thread did something else.
    func begin(epoch: Int, at now: UInt64, idleLimit: UInt64?) {
        if epoch != self.epoch || idleLimit.map({ now > self.lastUse + $0 }) == true { self.current = nil }
        self.epoch = epoch
        self.lastUse = now
    }

    func closeSession() { self.current = nil }

    /// Closes the session when a call in it failed.
    func discardBrokenSession() {
        if self.current?.isBroken == true { self.current = nil }
    }
}
