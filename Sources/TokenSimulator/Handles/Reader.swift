internal import CPKCS11
internal import Synchronization

/// The slots as this process sees them: the cards in them, the sessions that the program has open, and the handles
/// that it was given.
final class Reader: Sendable {
    struct State: Sendable {
        var sessions: [CK_SESSION_HANDLE: SessionRecord] = [:]
        var cards: [String: CardView] = [:]
        /// The highest session handle ever given to the program.
        var highestSession: CK_SESSION_HANDLE = 0

        /// Gives the program a handle: that of the module inside, if it never had that number.
        mutating func add(_ record: SessionRecord, numbering: ObjectTable.Numbering) -> CK_SESSION_HANDLE {
            let isFree = self.sessions[record.inner] == nil && numbering == .same
            let outer = isFree ? record.inner : self.highestSession + 1
            self.highestSession = max(self.highestSession, outer)
            self.sessions[outer] = record
            return outer
        }

        /// Sessions that are good on a card, or on any card.
        func openSessions(on card: String?) -> Int {
            self.sessions.values.count { $0.stale == nil && (card == nil || $0.card?.name == card) }
        }

        /// The card that the program sees in a slot.
        func card(at outer: CK_SLOT_ID) -> CardView? {
            self.cards.values.first { $0.outerSlot == outer }
        }

        /// True when the card of a slot of the module inside was put into another.
        func isVacated(_ outer: CK_SLOT_ID) -> Bool {
            self.card(at: outer) == nil && self.cards.values.contains { $0.card.slot == outer }
        }
    }

    private let state = Mutex(State())

    func withState<R: Sendable>(_ body: (inout State) -> R) -> R {
        self.state.withLock { state in body(&state) }
    }
}
