internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// A session for the time of one call, with the handles of the module inside.
struct SessionUse {
    let simulation: Simulation
    /// The handle of the module inside.
    let handle: CK_SESSION_HANDLE
    /// The handle that the program has.
    let outer: CK_SESSION_HANDLE
    /// `nil` for a token that no rule is for.
    let card: Card?
    /// What a fault makes of the call.
    var effect: Fault.Effect?

    var functions: UnsafeMutablePointer<CK_FUNCTION_LIST> { self.simulation.module.functions }

    var functions3: UnsafeMutablePointer<SIGNET_CK_FUNCTION_LIST_3_0>? { self.simulation.module.functions3 }

    /// The program has cancelled what the session was about.
    func forgetOperations() {
        self.simulation.reader.withState { state in
            state.sessions[self.outer]?.keys = [:]
            state.sessions[self.outer]?.stuck = []
        }
    }

    /// An object of the module inside; `nil` for a handle that the program should no longer have.
    func inner(_ object: CK_OBJECT_HANDLE) -> CK_OBJECT_HANDLE? {
        guard let card = self.card else { return object }
        let known = self.simulation.reader.withState { state in
            state.cards[card.name].map { $0.objects.inner(object) } ?? object
        }
        guard known == nil, card.rule.staleHandles == .anotherKey else { return known }
        return self.simulation.objectWithStaleNumber(object, session: self, card: card)
    }

    /// Translates a handle that the program gave as a key.
    ///
    /// - Returns: what `body` does with it, or the code of the profile for a stale one.
    func withKey(_ key: CK_OBJECT_HANDLE, _ body: (CK_OBJECT_HANDLE) -> CK_RV?) -> CK_RV? {
        guard let inner = self.inner(key) else {
            return self.card?.profile.lifecycle.staleHandle.value?.rawValue ?? CKR_KEY_HANDLE_INVALID
        }
        return body(inner)
    }

    /// Translates a handle that the program gave as an object.
    func withObject(_ object: CK_OBJECT_HANDLE, _ body: (CK_OBJECT_HANDLE) -> CK_RV?) -> CK_RV? {
        guard let inner = self.inner(object) else { return CKR_OBJECT_HANDLE_INVALID }
        return body(inner)
    }

    /// What the card says to a private key that is to be wrapped with a mechanism that does not do it.
    func refusal(ofWrapping key: CK_OBJECT_HANDLE, _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?) -> CK_RV? {
        guard let rules = self.card?.rule.mechanisms, rules.restrictsWrapping, !rules.wrapsPrivateKeys(mechanism),
            self.attributes(key).number(CKA_CLASS) == CKO_PRIVATE_KEY
        else { return nil }
        return self.simulation.refuse(.wrapKey, .keyNotWrappable, mechanism)
    }

    /// Puts the program's handles in the place of those of the module inside.
    ///
    /// - Parameter isNew: true for what the call has made.
    func show(_ objects: UnsafeMutablePointer<CK_OBJECT_HANDLE>?, count: UInt = 1, isNew: Bool = true) {
        guard let objects, let card = self.card else { return }
        let identifies = card.rule.staleHandles == .anotherKey
        for index in 0..<Int(count) {
            let inner = objects[index]
            if isNew { self.noteOwn(inner) }
            let identity = identifies ? self.attributes(inner).identity : nil
            objects[index] = self.simulation.reader.withState { state in
                let outer = state.cards[card.name]?.objects.outer(inner) ?? inner
                if let identity { state.cards[card.name]?.identities[outer] = identity }
                return outer
            }
        }
    }

    func forget(_ object: CK_OBJECT_HANDLE) {
        guard let card = self.card else { return }
        self.simulation.reader.withState { $0.cards[card.name]?.objects.remove(inner: object) }
    }

    /// How long an operation takes on the device of the profile, in milliseconds, if that is wanted.
    func latency(of kind: OperationKind, isSizeQuery: Bool) -> Double? {
        guard !isSizeQuery, let card = self.card, card.rule.hasLatency else { return nil }
        return self.simulation.reader.withState { $0.sessions[self.outer]?.keys[kind]?.latency }
    }

    func attributes(_ object: CK_OBJECT_HANDLE) -> StoredAttributes {
        StoredAttributes(module: self.simulation.module, session: self.handle, object: object)
    }
}

extension AttributeSource {
    var identity: ObjectIdentity {
        ObjectIdentity(
            objectClass: self.number(CKA_CLASS) ?? 0, label: self.bytes(of: CKA_LABEL) ?? [],
            id: self.bytes(of: CKA_ID) ?? [])
    }

    var subject: KeySubject {
        KeySubject(
            label: self.bytes(of: CKA_LABEL).map { String(decoding: $0, as: UTF8.self) }, id: self.bytes(of: CKA_ID))
    }
}
