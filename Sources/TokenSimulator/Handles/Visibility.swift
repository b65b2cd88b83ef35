internal import CPKCS11
internal import DeviceProfiles

/// Devices that show a process what they had when it began, and what it made itself (`lifecycle.visibility: at-init`).
/// Private objects are those of the first login, since nobody sees them before.
extension Simulation {
    /// Takes note of the objects on such cards.
    func noteObjectsOfStart() {
        for card in self.reader.withState({ $0.cards.values.map(\.card) }) where card.showsObjectsOfStart {
            self.note(card, arePrivate: false)
        }
    }

    /// The same for private objects, at the first login of the user.
    func noteObjectsOfLogin(_ use: SessionUse, _ userType: CK_USER_TYPE) {
        guard let card = use.card, card.showsObjectsOfStart, userType == CKU_USER else { return }
        let isFirst = self.reader.withState { state in
            guard let view = state.cards[card.name], !view.hasSeenPrivateObjects else { return false }
            state.cards[card.name]?.hasSeenPrivateObjects = true
            return true
        }
        if isFirst { self.note(card, arePrivate: true) }
    }

    private func note(_ card: Card, arePrivate: Bool) {
        let seen = CardScan(module: self.module).identities(slot: card.slot) {
            ($0.flag(CKA_PRIVATE) ?? false) == arePrivate
        }
        self.reader.withState { $0.cards[card.name]?.visible.formUnion(seen) }
        self.events?.write(
            nil, "\(card.name) shows \(seen.count) \(arePrivate ? "private" : "public") objects from now on")
    }
}

extension SessionUse {
    /// The process made an object, or gave it another name.
    func noteOwn(_ object: CK_OBJECT_HANDLE) {
        guard let card = self.card, card.showsObjectsOfStart else { return }
        let identity = self.attributes(object).identity
        self.simulation.reader.withState { _ = $0.cards[card.name]?.visible.insert(identity) }
    }

    /// `C_FindObjects` with the handles of the program, without objects that the card does not show it.
    func find(
        _ objects: UnsafeMutablePointer<CK_OBJECT_HANDLE>?, _ most: CK_ULONG, _ count: UnsafeMutablePointer<CK_ULONG>?
    ) -> CK_RV? {
        while true {
            let result = self.functions.pointee.C_FindObjects?(self.handle, objects, most, count)
            guard result == CKR_OK, let count, let objects, count.pointee > 0 else { return result }
            if let card = self.card, card.showsObjectsOfStart {
                let found = Array(UnsafeBufferPointer(start: objects, count: Int(count.pointee)))
                let shown = found.filter { self.isVisible($0, on: card) }
                // No objects would be the end of the search.
                if shown.isEmpty { continue }
                objects.update(from: shown, count: shown.count)
                count.pointee = CK_ULONG(shown.count)
            }
            self.show(objects, count: count.pointee, isNew: false)
            return result
        }
    }

    private func isVisible(_ object: CK_OBJECT_HANDLE, on card: Card) -> Bool {
        let attributes = self.attributes(object)
        // A session object can only be its own.
        guard attributes.flag(CKA_TOKEN) == true else { return true }
        let identity = attributes.identity
        return self.simulation.reader.withState { $0.cards[card.name]?.visible.contains(identity) ?? true }
    }
}
