internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// A card as this process sees it: what `C_GetSlotList` last told of it, and the handles that were given out.
struct CardView: Sendable {
    enum Status: Sendable {
        case here
        /// Taken out, or taken out and put back, and the process has not looked since.
        case removed
        /// Taken out, and the process knows.
        case absent
    }

    let card: Card
    /// The slot where the program sees it.
    var outerSlot: CK_SLOT_ID
    /// What `C_WaitForSlotEvent` last told of it.
    var told: CardRecord.Presence
    /// The insertion that the process knows of.
    var insertion: Int
    var isAbsenceNoticed: Bool
    var objects: ObjectTable
    /// Objects by the number that the program has, where a stale number is to become another key's.
    var identities: [UInt: ObjectIdentity] = [:]
    /// Numbers from before the card was put back, for the same purpose.
    var retired: [UInt: ObjectIdentity] = [:]
    /// Objects that a card shows which shows those of the start only.
    var visible: Set<ObjectIdentity> = []
    /// Whether the private ones are among them.
    var hasSeenPrivateObjects = false
    /// Calls that the module inside is working on.
    var callsInside = 0
    /// Sessions that are being opened.
    var sessionsPending = 0
    /// True while sessions of an earlier insertion are being closed.
    var isClosing = false

    init(card: Card, presence: CardRecord.Presence) {
        self.card = card
        self.outerSlot = presence.slot ?? card.slot
        self.told = presence
        self.insertion = presence.insertion
        self.isAbsenceNoticed = !presence.isInserted
        self.objects = ObjectTable(numbering: card.rule.numbering)
    }

    func status(_ presence: CardRecord.Presence) -> Status {
        if self.isAbsenceNoticed { return .absent }
        return presence.isInserted && presence.insertion == self.insertion ? .here : .removed
    }

    /// What a call gives while the card is not there for it.
    func refusal(_ presence: CardRecord.Presence, _ function: FunctionName) -> ReturnValue? {
        switch self.status(presence) {
        case .here: return nil
        case .absent where function == .getSlotInfo: return nil
        case .absent: return .tokenNotPresent
        case .removed:
            let lifecycle = self.card.profile.lifecycle
            switch function {
            case .closeSession, .closeAllSessions, .getSlotInfo: return nil
            case .getSessionInfo, .getTokenInfo, .getMechanismList, .getMechanismInfo:
                return lifecycle.infoAfterRemoval.value == .error ? self.card.removed : nil
            default: return self.card.removed
            }
        }
    }

    /// True when a look at the slots would show something new.
    func isOutOfDate(_ presence: CardRecord.Presence) -> Bool {
        presence.insertion != self.insertion || presence.isInserted == self.isAbsenceNoticed
    }

    /// Takes notice of where the card is now.
    mutating func look(_ presence: CardRecord.Presence) {
        self.isAbsenceNoticed = !presence.isInserted
        self.insertion = presence.insertion
        self.outerSlot = presence.slot ?? self.card.slot
        self.objects.renumber()
        self.retired.merge(self.identities) { $1 }
        self.identities = [:]
    }
}

/// What tells one object from another when its handle does not.
struct ObjectIdentity: Hashable, Sendable {
    var objectClass: UInt
    var label: [UInt8]
    var id: [UInt8]
}
