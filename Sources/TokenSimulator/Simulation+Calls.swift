internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// The ways that a call takes through the simulation.
extension Simulation {
    /// Whose label and id a fault for one key looks at.
    enum Subject {
        /// The key of the active operation, if there is one.
        case operation
        case object(CK_OBJECT_HANDLE)
        case template(Template)
    }

    /// A call that concerns neither a slot nor a session.
    func call(_ function: FunctionName, isSizeQuery: Bool = false, _ work: () -> CK_RV?) -> CK_RV {
        self.adoptOrders()
        return self.run(Call(function: function, isSizeQuery: isSizeQuery), on: nil) { _ in
            work() ?? CKR_FUNCTION_NOT_SUPPORTED
        }
    }

    /// A call that concerns a slot.
    ///
    /// - Parameter work: gets the slot of the module inside.
    func call(
        _ function: FunctionName, in slot: CK_SLOT_ID, isSizeQuery: Bool = false, _ work: (CK_SLOT_ID) -> CK_RV?
    ) -> CK_RV {
        self.adoptOrders()
        if case .refused(let refusal) = self.place(slot, for: function) {
            return self.run(Call(function: function, isSizeQuery: true), on: nil) { _ in refusal.rawValue }
        }
        let card = self.reader.withState { $0.card(at: slot)?.card }
        return self.run(Call(function: function, isSizeQuery: isSizeQuery), on: card) { _ in
            switch self.place(slot, for: function) {
            case .granted(let inner): work(inner) ?? CKR_FUNCTION_NOT_SUPPORTED
            case .refused(let refusal): refusal.rawValue
            }
        }
    }

    /// A call in a session.
    func call(
        _ function: FunctionName, in session: CK_SESSION_HANDLE, isSizeQuery: Bool = false,
        about subject: Subject = .operation, _ work: (SessionUse) -> CK_RV?
    ) -> CK_RV {
        self.adoptOrders()
        guard self.isTracking else {
            let use = SessionUse(simulation: self, handle: session, outer: session, card: nil)
            return self.run(Call(function: function, isSizeQuery: isSizeQuery), on: nil) { effect in
                var use = use
                use.effect = effect
                return work(use) ?? CKR_FUNCTION_NOT_SUPPORTED
            }
        }
        guard self.faults.isArmed, !isSizeQuery else {
            let result = self.enter(session, function, isSizeQuery: isSizeQuery) {
                work($0) ?? CKR_FUNCTION_NOT_SUPPORTED
            }
            self.events?.write(Call(function: function, isSizeQuery: isSizeQuery), result: result)
            return result
        }
        switch self.admit(session, for: function) {
        case .refused(let refusal):
            // Not a call that a fault could meet: it fails by itself.
            return self.run(Call(function: function, isSizeQuery: true), on: nil) { _ in refusal.rawValue }
        case .granted(let use):
            let named = self.faults.hasKeyFilters ? self.name(subject, of: function, in: use) : nil
            let call = Call(function: function, isSizeQuery: isSizeQuery, subject: named)
            return self.run(call, on: use.card) { effect in
                self.enter(session, function, isSizeQuery: isSizeQuery) { use in
                    var use = use
                    use.effect = effect
                    return work(use) ?? CKR_FUNCTION_NOT_SUPPORTED
                }
            }
        }
    }

    /// Works in a session that is looked up anew, since the card may have gone while the call stood still.
    private func enter(
        _ session: CK_SESSION_HANDLE, _ function: FunctionName, isSizeQuery: Bool, _ work: (SessionUse) -> CK_RV
    ) -> CK_RV {
        switch self.admit(session, for: function, isEntering: true) {
        case .refused(let refusal): return refusal.rawValue
        case .granted(let use):
            defer {
                if let card = use.card { self.reader.withState { $0.cards[card.name]?.callsInside -= 1 } }
            }
            if let refusal = self.recordInLog(function, use, isSizeQuery: isSizeQuery) { return refusal.rawValue }
            return work(use)
        }
    }

    private func name(_ subject: Subject, of function: FunctionName, in use: SessionUse) -> KeySubject? {
        switch subject {
        case .operation:
            guard let kind = function.operation else { return nil }
            return self.reader.withState { $0.sessions[use.outer]?.keys[kind]?.subject }
        case .object(let handle): return use.inner(handle).map { use.attributes($0).subject }
        case .template(let template): return template.subject
        }
    }

    /// Begins an operation with a key: `C_SignInit` and its like.
    ///
    /// - Parameter work: gets the mechanism and the key as the module inside knows them.
    func begin(
        _ function: FunctionName, in session: CK_SESSION_HANDLE, _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?,
        key: CK_OBJECT_HANDLE, use flag: CK_FLAGS,
        _ work: (SessionUse, UnsafeMutablePointer<CK_MECHANISM>?, CK_OBJECT_HANDLE) -> CK_RV?
    ) -> CK_RV {
        self.call(function, in: session, about: .object(key)) { use in
            if let refusal = use.card?.refusal(of: mechanism, use: flag) {
                return self.refuse(function, refusal, mechanism)
            }
            if use.isStuck(function) { return CKR_OPERATION_ACTIVE }
            // Without a mechanism an operation is cancelled (v3.0, section 5.6), and the key does not matter.
            guard let given = mechanism else { return work(use, nil, key) }
            if use.effect == .anotherKey { self.misname(key, in: use) }
            return use.withKey(key) { inner in
                let result = use.withInner(mechanism, for: function) { work(use, $0, inner) }
                if result == CKR_OK { self.remember(inner, given.pointee.mechanism, for: function, in: use) }
                return result
            }
        }
    }

    private func remember(
        _ key: CK_OBJECT_HANDLE, _ mechanism: CK_MECHANISM_TYPE, for function: FunctionName, in use: SessionUse
    ) {
        guard let kind = function.operation else { return }
        let isNamed = self.faults.hasKeyFilters
        let isTimed = use.card?.rule.hasLatency ?? false
        let isAsking = use.card?.asksForEachUse ?? false
        let isEncoded = use.card?.encodesSignatures ?? false
        guard isNamed || isTimed || isAsking || isEncoded else { return }
        let attributes = use.attributes(key)
        let operation = OperationKey(
            subject: isNamed ? attributes.subject : nil,
            latency: isTimed ? use.card?.duration(of: kind, with: ObjectDescriptor(attributes)) : nil,
            needsLogin: isAsking && attributes.flag(CKA_ALWAYS_AUTHENTICATE) == true,
            orderBytes: isEncoded && SpecificationNames.isECDSA(mechanism)
                ? ObjectDescriptor(attributes).algorithm?.orderBytes : nil)
        self.reader.withState { $0.sessions[use.outer]?.keys[kind] = operation }
    }

    /// Works as long as a device does.
    func taking(_ milliseconds: Double?, _ use: SessionUse, _ work: () -> CK_RV?) -> CK_RV? {
        guard milliseconds != nil else { return work() }
        let started = Moment.now()
        let result = work()
        if result == CKR_OK { use.card?.takeTime(milliseconds, since: started) }
        return result
    }

    /// Says in the log why the simulator refuses.
    func refuse(
        _ function: FunctionName, _ refusal: ReturnValue, _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?
    ) -> CK_RV {
        let number = mechanism.map { " for mechanism 0x" + String($0.pointee.mechanism, radix: 16) } ?? ""
        self.events?.write(function, "refused by the profile\(number): \(refusal)")
        return refusal.rawValue
    }
}
