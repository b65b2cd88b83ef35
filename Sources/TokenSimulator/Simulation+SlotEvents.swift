internal import CPKCS11
internal import DeviceProfiles

/// `C_WaitForSlotEvent` (PKCS #11 v2.40, section 5.5) for cards that the simulator takes out and puts back.
extension Simulation {
    /// How often a program that waits is looked after, in seconds.
    private static let interval = 0.02
    /// Every how many of these the module inside is asked as well.
    private static let innerRounds = 10

    /// Without anything that could move a card, the module inside waits.
    func waitForSlotEvent(
        _ flags: CK_FLAGS, _ slot: UnsafeMutablePointer<CK_SLOT_ID>?, _ reserved: UnsafeMutableRawPointer?
    ) -> CK_RV {
        self.call(.waitForSlotEvent) {
            guard self.configuration.canMoveCards else { return self.inner.C_WaitForSlotEvent?(flags, slot, reserved) }
            guard let slot, reserved == nil else { return CKR_ARGUMENTS_BAD }
            guard self.waiters.enter() else { return CKR_CRYPTOKI_NOT_INITIALIZED }
            defer { self.waiters.leave() }
            var round = 0
            while true {
                if let event = self.takeEvent() ?? (round % Simulation.innerRounds == 0 ? self.innerEvent() : nil) {
                    slot.pointee = event
                    return CKR_OK
                }
                if flags & CKF_DONT_BLOCK != 0 { return CKR_NO_EVENT }
                Moment.wait(seconds: Simulation.interval)
                if self.waiters.isEnding { return CKR_CRYPTOKI_NOT_INITIALIZED }
                round += 1
            }
        }
    }

    /// A slot whose card came or went since the program was last told. To be told is a look at that card.
    private func takeEvent() -> CK_SLOT_ID? {
        let ledger = self.ledger.current().ledger
        let event = self.reader.withState { state -> SlotEvent? in
            for (name, view) in state.cards.sorted(by: { $0.key < $1.key }) {
                let presence = ledger[name].presence
                if let slot = state.cards[name]?.takeEvent(presence) {
                    return SlotEvent(slot: slot, card: view.card, presence: presence)
                }
            }
            return nil
        }
        guard let event else { return nil }
        self.look(at: event.card, event.presence)
        return event.slot
    }

    private struct SlotEvent: Sendable {
        let slot: CK_SLOT_ID
        let card: Card
        let presence: CardRecord.Presence
    }

    /// An event of the module inside, as far as it knows any: a token that was added, for example.
    private func innerEvent() -> CK_SLOT_ID? {
        var slot = CK_SLOT_ID()
        guard self.inner.C_WaitForSlotEvent?(CKF_DONT_BLOCK, &slot, nil) == CKR_OK else { return nil }
        return self.reader.withState { state in
            state.cards.values.first { $0.card.slot == slot }?.outerSlot ?? slot
        }
    }
}

extension CardView {
    /// The slot that changed, and takes note that the program was told. A card that went from one slot to another
    /// is two events.
    mutating func takeEvent(_ presence: CardRecord.Presence) -> CK_SLOT_ID? {
        guard presence != self.told else { return nil }
        let before = self.told.slot ?? self.card.slot
        let now = presence.slot ?? self.card.slot
        guard self.told.isInserted, presence.isInserted, before != now else {
            let slot = self.told.isInserted ? before : now
            self.told = presence
            return slot
        }
        self.told.isInserted = false
        return before
    }
}

extension SimulatorConfiguration {
    /// True when something can take a card out or put it back.
    var canMoveCards: Bool {
        let isMoving = { (fault: Fault) in
            switch fault.effect {
            case .eject?, .insert?, .reinsert?: true
            default: false
            }
        }
        return !self.tokens.isEmpty && (self.controlPath != nil || self.faults.contains(where: isMoving))
    }
}
