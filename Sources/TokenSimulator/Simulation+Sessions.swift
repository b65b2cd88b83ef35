internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics
internal import Glibc

/// Session functions (PKCS #11 v2.40, section 5.6).
extension Simulation {
    /// Looks a session up for a call.
    ///
    /// - Parameter isEntering: counts the call among those that the module inside works on.
    func admit(
        _ session: CK_SESSION_HANDLE, for function: FunctionName, isEntering: Bool = false
    ) -> Ruling<SessionUse> {
        self.noticeWithoutLooking()
        let ledger = self.ledger.current().ledger
        let now = Moment.now()
        var idle: (CK_SESSION_HANDLE, Card)?
        let admission = self.reader.withState { state -> Ruling<Admitted> in
            guard let record = state.sessions[session] else { return .refused(.sessionHandleInvalid) }
            if let stale = record.stale { return .refused(ReturnValue(rawValue: stale)) }
            if let card = record.card {
                if let refusal = state.cards[card.name]?.refusal(ledger[card.name].presence, function) {
                    return .refused(refusal)
                }
                if card.isIdle(since: record.lastUse, now: now) {
                    let stale = card.staleSession
                    state.sessions[session]?.stale = stale.rawValue
                    idle = (record.inner, card)
                    return .refused(stale)
                }
                if isEntering { state.cards[card.name]?.callsInside += 1 }
            }
            state.sessions[session]?.lastUse = now
            return .granted(Admitted(inner: record.inner, card: record.card))
        }
        if let (inner, card) = idle { self.closeIdle(inner, card) }
        switch admission {
        case .refused(let refusal): return .refused(refusal)
        case .granted(let admitted):
            return .granted(
                SessionUse(simulation: self, handle: admitted.inner, outer: session, card: admitted.card))
        }
    }

    private struct Admitted: Sendable {
        let inner: CK_SESSION_HANDLE
        let card: Card?
    }

    private func closeIdle(_ session: CK_SESSION_HANDLE, _ card: Card) {
        _ = self.inner.C_CloseSession?(session)  // The program does not have it any more, whatever this gives.
        self.recordSessions(of: card)
        self.events?.write(nil, "a session of \(card.name) was idle and is closed")
    }

    /// `C_OpenSession`.
    func openSession(
        _ slot: CK_SLOT_ID, _ flags: CK_FLAGS, _ application: UnsafeMutableRawPointer?, _ notify: CK_NOTIFY?,
        _ session: UnsafeMutablePointer<CK_SESSION_HANDLE>?
    ) -> CK_RV {
        self.call(.openSession, in: slot) { inner in
            guard self.isTracking, let session else {
                return self.inner.C_OpenSession?(inner, flags, application, notify, session)
            }
            let card = self.card(in: inner)
            if let card {
                if flags & CKF_RW_SESSION == 0, card.profile.sessions.readOnly.value == false {
                    self.events?.write(.openSession, "\(card.name) has no read-only sessions")
                    return CKR_ARGUMENTS_BAD
                }
                self.closeIdleSessions(of: card)
                self.waitForClosing(of: card)
                if let refusal = self.reserveSession(on: card) {
                    self.events?.write(.openSession, "no session left on \(card.name): \(refusal)")
                    return refusal.rawValue
                }
            }
            let started = Moment.now()
            var handle = CK_SESSION_HANDLE()
            let result = self.inner.C_OpenSession?(inner, flags, application, notify, &handle)
            if result == CKR_OK {
                let record = SessionRecord(inner: handle, card: card, outerSlot: slot, lastUse: Moment.now())
                session.pointee = self.reader.withState {
                    $0.add(record, numbering: card?.rule.numbering ?? .same)
                }
            }
            if let card {
                self.reader.withState { $0.cards[card.name]?.sessionsPending -= 1 }
                self.recordSessions(of: card)
                card.takeTime(card.profile.latency.open.value, since: started)
            }
            return result
        }
    }

    /// `C_CloseSession`.
    func closeSession(_ session: CK_SESSION_HANDLE) -> CK_RV {
        self.call(.closeSession, in: session) { use in
            let result = self.inner.C_CloseSession?(use.handle)
            guard result == CKR_OK, self.isTracking else { return result }
            self.reader.withState { $0.sessions[session] = nil }
            if let card = use.card { self.recordSessions(of: card) }
            return result
        }
    }

    /// `C_CloseAllSessions`.
    func closeAllSessions(_ slot: CK_SLOT_ID) -> CK_RV {
        self.call(.closeAllSessions, in: slot) { inner in
            let result = self.inner.C_CloseAllSessions?(inner)
            guard result == CKR_OK, self.isTracking else { return result }
            self.reader.withState { state in
                state.sessions = state.sessions.filter { $0.value.outerSlot != slot }
            }
            if let card = self.card(in: inner) { self.recordSessions(of: card) }
            return result
        }
    }

    /// `C_GetSessionInfo`, with the slot where the program sees the card.
    func sessionInfo(_ session: CK_SESSION_HANDLE, _ info: UnsafeMutablePointer<CK_SESSION_INFO>?) -> CK_RV {
        self.call(.getSessionInfo, in: session) { use in
            let result = self.inner.C_GetSessionInfo?(use.handle, info)
            if result == CKR_OK, let info, use.card != nil {
                let slot = self.reader.withState { $0.sessions[session]?.outerSlot }
                if let slot { info.pointee.slotID = slot }
            }
            return result
        }
    }

    /// Closes sessions that the device would have closed by now, so that they do not count.
    private func closeIdleSessions(of card: Card) {
        guard case .atMost? = card.profile.sessions.idleSeconds.value else { return }
        let now = Moment.now()
        let idle = self.reader.withState { state in
            let idle = state.sessions.filter {
                $0.value.card?.name == card.name && $0.value.stale == nil
                    && card.isIdle(since: $0.value.lastUse, now: now)
            }
            for session in idle.keys { state.sessions[session]?.stale = card.staleSession.rawValue }
            return idle.values.map(\.inner)
        }
        for session in idle { self.closeIdle(session, card) }
    }

    // MARK: Limits

    /// Judges whether one more session may be opened, and keeps a place for it.
    private func reserveSession(on card: Card) -> ReturnValue? {
        let sessions = card.profile.sessions
        let limit = sessions.maximum.value ?? .unlimited
        let scope = sessions.scope.value ?? .process
        let (isFree, own) = self.reader.withState { state in
            let own = scope == .module ? state.openSessions(on: nil) : state.openSessions(on: card.name)
            let pending = state.cards.values.filter { scope == .module || $0.card.name == card.name }
                .reduce(0) { $0 + $1.sessionsPending }
            let isFree = limit.allows(own + pending + 1)
            if isFree { state.cards[card.name]?.sessionsPending += 1 }
            return (isFree, own + pending + 1)
        }
        let refusal = sessions.overLimit.value ?? .sessionCount
        guard isFree else { return refusal }
        guard card.countsSessionsOfDevice, !self.reserveOnDevice(own, of: card, limit: limit) else { return nil }
        self.reader.withState { $0.cards[card.name]?.sessionsPending -= 1 }
        return refusal
    }

    private func reserveOnDevice(_ own: Int, of card: Card, limit: Limit) -> Bool {
        do {
            return try self.ledger.withLedger { ledger in
                let process = Int(getpid())
                let others = ledger[card.name].sessions.filter { $0.key != process && ProcessTable.isAlive($0.key) }
                guard limit.allows(own + others.values.reduce(0, +)) else { return false }
                ledger[card.name].sessions = others.merging([process: own]) { $1 }
                return true
            }
        } catch {
            Simulator.log(error)
            return false
        }
    }

    /// Writes down how many sessions this process has, where all processes are counted together.
    func recordSessions(of card: Card) {
        guard card.countsSessionsOfDevice else { return }
        let count = self.reader.withState { $0.openSessions(on: card.name) }
        do {
            try self.ledger.withLedger { ledger in
                var sessions = ledger[card.name].sessions.filter { ProcessTable.isAlive($0.key) }
                sessions[Int(getpid())] = count == 0 ? nil : count
                ledger[card.name].sessions = sessions
            }
        } catch {
            Simulator.log(error)  // The session is open or closed whatever becomes of the ledger.
        }
    }

    func recordSessions() {
        for card in self.reader.withState({ $0.cards.values.map(\.card) }) { self.recordSessions(of: card) }
    }
}

/// Which processes there are.
enum ProcessTable {
    static func isAlive(_ process: Int) -> Bool {
        guard let process = pid_t(exactly: process) else { return false }
        return kill(process, 0) == 0 || errno == EPERM
    }
}
