internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// Object functions (PKCS #11 v2.40, section 5.7) on a card that can be full and that has its own rules.
extension Simulation {
    /// `C_CreateObject`.
    func createObject(
        _ session: CK_SESSION_HANDLE, _ template: Template, _ object: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    ) -> CK_RV {
        self.call(.createObject, in: session, about: .template(template)) { use in
            self.making(.createObject, template, objectClass: template.number(CKA_CLASS), in: use) { template in
                let isOnToken = template.isTokenObject
                return self.store(ObjectDescriptor(template), isOnToken: isOnToken, .create, use, object) {
                    use.withInnerPoints(of: template) {
                        self.inner.C_CreateObject?(use.handle, $0.pointer, $0.count, object)
                    }
                }
            }
        }
    }

    /// `C_CopyObject`. The copy is on the token if the template says so, or if the original is and it says nothing.
    func copyObject(
        _ session: CK_SESSION_HANDLE, _ source: CK_OBJECT_HANDLE, _ template: Template,
        _ object: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    ) -> CK_RV {
        self.call(.copyObject, in: session, about: .object(source)) { use in
            use.withObject(source) { source in
                guard use.card != nil || use.effect != nil else {
                    return self.inner.C_CopyObject?(use.handle, source, template.pointer, template.count, object)
                }
                if let refusal = use.card?.rule.template.refusal(ofChange: template) { return refusal.rawValue }
                let attributes = AmendedAttributes(template: template, object: use.attributes(source))
                let isOnToken = attributes.flag(CKA_TOKEN) ?? false
                return self.store(ObjectDescriptor(attributes), isOnToken: isOnToken, .create, use, object) {
                    self.inner.C_CopyObject?(use.handle, source, template.pointer, template.count, object)
                }
            }
        }
    }

    /// `C_GenerateKey`.
    func generateKey(
        _ session: CK_SESSION_HANDLE, _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?, _ template: Template,
        _ key: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    ) -> CK_RV {
        self.call(.generateKey, in: session, about: .template(template)) { use in
            if let card = use.card {
                let mechanisms = card.rule.mechanisms
                let size = template.number(CKA_VALUE_LEN).flatMap { Int(exactly: $0) }
                let hasFunction = card.profile.mechanisms.generatesSecretKeys.value ?? true
                let refusal =
                    (hasFunction ? nil : .functionNotSupported) ?? self.refusal(ofGenerationBy: use, card)
                    ?? mechanisms.refusal(of: mechanism, use: CKF_GENERATE)
                    ?? mechanisms.refusal(of: mechanism, keySize: size)
                if let refusal { return self.refuse(.generateKey, refusal, mechanism) }
            }
            return self.making(.generateKey, template, objectClass: CKO_SECRET_KEY, in: use) { template in
                let descriptor = ObjectDescriptor(template, kind: .secretKey)
                return self.store(descriptor, isOnToken: template.isTokenObject, .keyGeneration, use, key) {
                    self.inner.C_GenerateKey?(use.handle, mechanism, template.pointer, template.count, key)
                }
            }
        }
    }

    /// Judges a template by the rules of the card, and gives on what the card keeps of it.
    func making(
        _ function: FunctionName, _ template: Template, objectClass: UInt?, in use: SessionUse,
        _ make: (Template) -> CK_RV?
    ) -> CK_RV? {
        guard let rules = use.card?.rule.template else { return make(template) }
        if let refusal = rules.refusal(of: template, objectClass: objectClass) {
            return self.refuse(function, refusal, nil)
        }
        return rules.withKept(of: template, objectClass: objectClass, make)
    }

    /// Makes an object whose size is known before, if there is room for it.
    private func store(
        _ descriptor: ObjectDescriptor, isOnToken: Bool, _ operation: CardLimits.Operation, _ use: SessionUse,
        _ object: UnsafeMutablePointer<CK_OBJECT_HANDLE>?, _ make: () -> CK_RV?
    ) -> CK_RV? {
        func write(isLost: Bool) -> CK_RV? {
            let result = make()
            guard result == CKR_OK, let object else { return result }
            if isLost { _ = self.inner.C_DestroyObject?(use.handle, object.pointee) }
            use.show(object)
            return result
        }
        let isLost = use.effect == .lose
        guard isOnToken, let card = self.limitedCard(of: use, writing: descriptor.isPrivate) else {
            return write(isLost: isLost)
        }
        return self.alone(on: card) { census in
            if let refusal = card.limits.refusal(of: [descriptor], on: census, operation: operation) {
                self.events?.write(nil, "\(card.name) is full: \(refusal)")
                guard refusal == .ok else { return refusal.rawValue }
                return write(isLost: true) ?? CKR_FUNCTION_NOT_SUPPORTED
            }
            return write(isLost: isLost) ?? CKR_FUNCTION_NOT_SUPPORTED
        }
    }

    /// `C_DestroyObject`.
    func destroyObject(_ session: CK_SESSION_HANDLE, _ object: CK_OBJECT_HANDLE) -> CK_RV {
        self.call(.destroyObject, in: session, about: .object(object)) { use in
            use.withObject(object) { object in
                if use.effect == .lose { return CKR_OK }
                let destroy = { () -> CK_RV in
                    let result = self.inner.C_DestroyObject?(use.handle, object) ?? CKR_FUNCTION_NOT_SUPPORTED
                    if result == CKR_OK { use.forget(object) }
                    return result
                }
                guard use.card != nil else { return destroy() }
                let attributes = use.attributes(object)
                guard attributes.flag(CKA_TOKEN) == true,
                    let card = self.limitedCard(of: use, writing: attributes.flag(CKA_PRIVATE) ?? true)
                else { return destroy() }
                return self.alone(on: card) { _ in destroy() }
            }
        }
    }

    /// `C_SetAttributeValue`. Only the content of a certificate or data object changes what an object takes for good; a
    /// longer value of another attribute needs room for as much as it grows.
    func setAttributes(_ session: CK_SESSION_HANDLE, _ object: CK_OBJECT_HANDLE, _ template: Template) -> CK_RV {
        self.call(.setAttributeValue, in: session, about: .object(object)) { use in
            use.withObject(object) { object in
                if use.effect == .lose { return CKR_OK }
                guard let rules = use.card?.rule.template else {
                    return self.inner.C_SetAttributeValue?(use.handle, object, template.pointer, template.count)
                }
                if let refusal = rules.refusal(ofChange: template) { return refusal.rawValue }
                return rules.withKept(of: template) { self.setAttributes(use, object, $0) }
            }
        }
    }

    private func setAttributes(_ use: SessionUse, _ object: CK_OBJECT_HANDLE, _ template: Template) -> CK_RV {
        let set = { () -> CK_RV in
            let result = self.inner.C_SetAttributeValue?(use.handle, object, template.pointer, template.count)
            if result == CKR_OK { use.noteOwn(object) }
            return result ?? CKR_FUNCTION_NOT_SUPPORTED
        }
        let stored = use.attributes(object)
        guard use.card?.limits.areAny == true, stored.flag(CKA_TOKEN) == true else { return set() }
        let growth = template.growth(over: stored)
        let before = ObjectDescriptor(stored)
        guard growth > 0 || template.length(of: CKA_VALUE) != nil,
            let card = self.limitedCard(of: use, writing: before.isPrivate)
        else { return set() }
        let after = ObjectDescriptor(AmendedAttributes(template: template, object: stored))
        return self.alone(on: card) { census in
            guard
                let refusal = card.limits.refusal(
                    of: [after], growingBy: growth, on: census, replacing: before, operation: .setAttribute)
            else { return set() }
            self.events?.write(.setAttributeValue, "\(card.name) is full: \(refusal)")
            if card.profile.capacity.residue.value == .lostObject { self.lose(object, use) }
            // A device whose answer is CKR_OK acknowledges the change and forgets it.
            return refusal.rawValue
        }
    }

    /// The object that was to be changed is gone, as on a device that empties its place first.
    private func lose(_ object: CK_OBJECT_HANDLE, _ use: SessionUse) {
        guard self.inner.C_DestroyObject?(use.handle, object) == CKR_OK else {
            return Simulator.log("an object that a full card loses could not be removed")
        }
        use.forget(object)
        self.events?.write(.setAttributeValue, "the object is lost")
    }
}
