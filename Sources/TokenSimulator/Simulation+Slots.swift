internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// Slot and token functions (PKCS #11 v2.40, sections 5.4, 5.5), and cards that come and go.
extension Simulation {
    /// The slot of the module inside for one of the program, or what a call for it gives.
    func place(_ slot: CK_SLOT_ID, for function: FunctionName) -> Ruling<CK_SLOT_ID> {
        guard self.isTracking else { return .granted(slot) }
        self.noticeWithoutLooking()
        let ledger = self.ledger.current().ledger
        return self.reader.withState { state in
            guard let view = state.card(at: slot) else {
                // A slot that lost its card to another is empty.
                guard state.isVacated(slot), function != .getSlotInfo else { return .granted(slot) }
                return .refused(.tokenNotPresent)
            }
            let presence = ledger[view.card.name].presence
            return view.refusal(presence, function).map { .refused($0) } ?? .granted(view.card.slot)
        }
    }

    /// `C_GetSlotList`: the look at the slots by which a program learns that a card came or went.
    func slotList(
        _ tokenPresent: CK_BBOOL, _ list: UnsafeMutablePointer<CK_SLOT_ID>?, _ count: UnsafeMutablePointer<CK_ULONG>?
    ) -> CK_RV {
        self.call(.getSlotList, isSizeQuery: list == nil) {
            self.lookAtSlots()
            guard let count, let shown = self.shownSlots(tokenPresent) else {
                return self.inner.C_GetSlotList?(tokenPresent, list, count)
            }
            let room = count.pointee
            count.pointee = CK_ULONG(shown.count)
            guard let list else { return CKR_OK }
            guard room >= shown.count else { return CKR_BUFFER_TOO_SMALL }
            for (index, slot) in shown.enumerated() { list[index] = slot }
            return CKR_OK
        }
    }

    /// The slots as the program is to see them; `nil` when they are those of the module inside.
    private func shownSlots(_ tokenPresent: CK_BBOOL) -> [CK_SLOT_ID]? {
        let cards = self.reader.withState { Array($0.cards.values) }
        guard cards.contains(where: { $0.isAbsenceNoticed || $0.outerSlot != $0.card.slot }) else { return nil }
        guard let slots = self.innerSlots(tokenPresent: tokenPresent) else { return nil }
        var shown: [CK_SLOT_ID] = []
        var vacated: [CK_SLOT_ID] = []
        for slot in slots {
            guard let view = cards.first(where: { $0.card.slot == slot }) else {
                shown.append(slot)
                continue
            }
            if tokenPresent == CK_FALSE || !view.isAbsenceNoticed { shown.append(view.outerSlot) }
            if view.outerSlot != slot { vacated.append(slot) }
        }
        if tokenPresent == CK_FALSE { shown += vacated.filter { !shown.contains($0) } }
        return shown
    }

    func innerSlots(tokenPresent: CK_BBOOL) -> [CK_SLOT_ID]? {
        var count: CK_ULONG = 0
        guard self.inner.C_GetSlotList?(tokenPresent, nil, &count) == CKR_OK else { return nil }
        // Some modules show a slot more at the second call.
        var slots = [CK_SLOT_ID](repeating: 0, count: Int(count) + 8)
        count = CK_ULONG(slots.count)
        guard self.inner.C_GetSlotList?(tokenPresent, &slots, &count) == CKR_OK else { return nil }
        return Array(slots.prefix(Int(count)))
    }

    /// `C_GetSlotInfo`.
    func slotInfo(_ slot: CK_SLOT_ID, _ info: UnsafeMutablePointer<CK_SLOT_INFO>?) -> CK_RV {
        self.call(.getSlotInfo, in: slot) { inner in
            let result = self.inner.C_GetSlotInfo?(inner, info)
            guard result == CKR_OK, let info, self.isTracking else { return result }
            let isEmpty = self.reader.withState { state in
                state.card(at: slot)?.isAbsenceNoticed ?? state.isVacated(slot)
            }
            if isEmpty { info.pointee.flags &= ~CKF_TOKEN_PRESENT }
            return result
        }
    }

    // MARK: Coming and going

    /// Takes notice of cards that came or went, and loses what the program had of them.
    func lookAtSlots() {
        guard self.isTracking else { return }
        self.identifyCards()
        let ledger = self.ledger.current().ledger
        for card in self.reader.withState({ $0.cards.values.map(\.card) }) {
            self.look(at: card, ledger[card.name].presence)
        }
    }

    /// The same for devices that need no look.
    func noticeWithoutLooking() {
        guard self.canNoticeWithoutLooking else { return }
        let cards = self.reader.withState { state in
            state.cards.values.map(\.card).filter { !$0.needsRescan }
        }
        guard !cards.isEmpty else { return }
        let ledger = self.ledger.current().ledger
        for card in cards where ledger[card.name].presence.isInserted {
            self.look(at: card, ledger[card.name].presence)
        }
    }

    func look(at card: Card, _ presence: CardRecord.Presence) {
        // A device that comes back with C_Finalize only stays away until then.
        if presence.isInserted, card.profile.lifecycle.recovery.value == .finalize { return }
        let stale = self.reader.withState { state -> [CK_SESSION_HANDLE]? in
            guard let view = state.cards[card.name], view.isOutOfDate(presence) else { return nil }
            state.cards[card.name]?.look(presence)
            state.cards[card.name]?.isClosing = true
            let lost = state.sessions.filter { $0.value.card?.name == card.name && $0.value.stale == nil }
            for session in lost.keys { state.sessions[session]?.stale = card.staleSession.rawValue }
            return lost.values.map(\.inner)
        }
        guard let stale else { return }
        // The module inside may still be working for a call that began before.
        var rounds = 0
        while self.reader.withState({ ($0.cards[card.name]?.callsInside ?? 0) > 0 }), rounds < 10_000 {
            Moment.wait(seconds: 0.001)
            rounds += 1
        }
        if let session = stale.first { _ = self.inner.C_Logout?(session) }  // The card forgets the login by itself.
        for session in stale { _ = self.inner.C_CloseSession?(session) }
        self.reader.withState { $0.cards[card.name]?.isClosing = false }
        self.recordSessions(of: card)
        let found = presence.isInserted ? "is in slot \(presence.slot ?? card.slot)" : "is gone"
        self.events?.write(nil, "the program looks: \(card.name) \(found), \(stale.count) sessions are lost")
    }

    /// Waits until sessions of an earlier insertion are closed: a card forgets its login with them.
    func waitForClosing(of card: Card) {
        while self.reader.withState({ $0.cards[card.name]?.isClosing ?? false }) { Moment.wait(seconds: 0.001) }
    }

    /// Does to a card what a fault of the script says.
    ///
    /// - Parameter name: `nil` for all cards.
    func apply(_ effect: Fault.Effect, to name: String?) {
        do {
            try self.ledger.withLedger { ledger in
                for card in ledger.cards.keys where name == nil || name == card {
                    ledger[card].suffer(effect)
                    self.events?.write(nil, "\(card): \(effect.rawValue)")
                }
            }
        } catch {
            Simulator.log(error)
        }
    }
}

extension CardRecord {
    /// - Parameter slot: where the card is put; `nil` for where it was.
    mutating func suffer(_ effect: Fault.Effect, slot: UInt? = nil) {
        switch effect {
        case .eject: self.presence.isInserted = false
        case .insert where !self.presence.isInserted:
            self.presence.isInserted = true
            self.presence.insertion += 1
            if let slot { self.presence.slot = slot }
        case .reinsert:
            self.presence.isInserted = true
            self.presence.insertion += 1
        case .lockPIN: self.user.isLocked = true
        case .insert, .lose, .crash, .anotherKey: break
        }
    }
}
