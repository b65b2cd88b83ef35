internal import CPKCS11
internal import DeviceProfiles

/// Handles of a card that was put back and that name another key: what a device does that numbers its objects anew.
extension Simulation {
    /// The object that a number from before now stands for: another one of the same class, if there is one.
    func objectWithStaleNumber(
        _ number: CK_OBJECT_HANDLE, session use: SessionUse, card: Card
    ) -> CK_OBJECT_HANDLE? {
        let former = self.reader.withState { $0.cards[card.name]?.retired[number] }
        guard let former, let objects = self.objects(of: former.objectClass, in: use) else { return nil }
        let other = objects.sorted().first { use.attributes($0).identity != former }
        guard let other else { return nil }
        self.reader.withState { $0.cards[card.name]?.objects.bind(number, to: other) }
        self.events?.write(nil, "handle \(number) of \(card.name) names another object than before")
        return other
    }

    /// Makes a handle that the program has name another key of the same class, if there is one. Who looks for the key that
    /// it named until now gets another handle.
    func misname(_ number: CK_OBJECT_HANDLE, in use: SessionUse) {
        guard let card = use.card, let former = use.inner(number),
            let objectClass = use.attributes(former).number(CKA_CLASS),
            let other = self.objects(of: objectClass, in: use)?.sorted().first(where: { $0 != former })
        else { return }
        self.reader.withState { $0.cards[card.name]?.objects.misname(number, as: other) }
        self.events?.write(nil, "handle \(number) of \(card.name) names another object than before")
    }

    /// Objects of a class, found in a session beside the program's own, which may have a search open.
    private func objects(of objectClass: UInt, in use: SessionUse) -> [CK_OBJECT_HANDLE]? {
        guard let card = use.card else { return nil }
        return CardScan(module: self.module).objects(slot: card.slot).filter {
            use.attributes($0).number(CKA_CLASS) == objectClass
        }
    }
}
