internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// Object functions (PKCS #11 v2.40, section 5.7) on a card that can be full.
extension Simulation {
    /// `C_CreateObject`.
    func createObject(
        _ session: CK_SESSION_HANDLE, _ template: Template, _ object: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    ) -> CK_RV {
        let descriptor = ObjectDescriptor(template)
        return self.store(descriptor, isOnToken: template.isTokenObject, session: session, operation: .create) {
            self.inner.C_CreateObject?(session, template.pointer, template.count, object)
        }
    }

    /// `C_CopyObject`. The copy is on the token if the template says so, or if the original is and it says nothing.
    func copyObject(
        _ session: CK_SESSION_HANDLE, _ source: CK_OBJECT_HANDLE, _ template: Template,
        _ object: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    ) -> CK_RV {
        let original = StoredAttributes(module: self.module, session: session, object: source)
        let attributes = AmendedAttributes(template: template, object: original)
        let isOnToken = attributes.flag(CKA_TOKEN) ?? false
        return self.store(ObjectDescriptor(attributes), isOnToken: isOnToken, session: session, operation: .create) {
            self.inner.C_CopyObject?(session, source, template.pointer, template.count, object)
        }
    }

    /// `C_GenerateKey`.
    func generateKey(
        _ session: CK_SESSION_HANDLE, _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?, _ template: Template,
        _ key: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    ) -> CK_RV {
        let descriptor = ObjectDescriptor(template, kind: .secretKey)
        let isOnToken = template.isTokenObject
        return self.store(descriptor, isOnToken: isOnToken, session: session, operation: .keyGeneration) {
            self.inner.C_GenerateKey?(session, mechanism, template.pointer, template.count, key)
        }
    }

    /// Makes an object whose size is known before, if there is room for it.
    private func store(
        _ descriptor: ObjectDescriptor, isOnToken: Bool, session: CK_SESSION_HANDLE,
        operation: CardLimits.Operation, _ make: () -> CK_RV?
    ) -> CK_RV {
        guard isOnToken, let card = self.limitedCard(of: session, writing: descriptor.isPrivate) else {
            return make() ?? CKR_FUNCTION_NOT_SUPPORTED
        }
        return self.alone(on: card) { census in
            if let refusal = card.limits.refusal(of: [descriptor], on: census, operation: operation) {
                return refusal.rawValue
            }
            return make() ?? CKR_FUNCTION_NOT_SUPPORTED
        }
    }

    /// `C_DestroyObject`.
    func destroyObject(_ session: CK_SESSION_HANDLE, _ object: CK_OBJECT_HANDLE) -> CK_RV {
        let attributes = StoredAttributes(module: self.module, session: session, object: object)
        guard !self.configuration.tokens.isEmpty, attributes.flag(CKA_TOKEN) == true,
            let card = self.limitedCard(of: session, writing: attributes.flag(CKA_PRIVATE) ?? true)
        else { return self.inner.C_DestroyObject?(session, object) ?? CKR_FUNCTION_NOT_SUPPORTED }
        return self.alone(on: card) { _ in
            self.inner.C_DestroyObject?(session, object) ?? CKR_FUNCTION_NOT_SUPPORTED
        }
    }

    /// `C_SetAttributeValue`. Only the content of a certificate or data object changes what an object takes.
    func setAttributes(_ session: CK_SESSION_HANDLE, _ object: CK_OBJECT_HANDLE, _ template: Template) -> CK_RV {
        let set = { () -> CK_RV in
            self.inner.C_SetAttributeValue?(session, object, template.pointer, template.count)
                ?? CKR_FUNCTION_NOT_SUPPORTED
        }
        let stored = StoredAttributes(module: self.module, session: session, object: object)
        guard template.length(of: CKA_VALUE) != nil, stored.flag(CKA_TOKEN) == true else { return set() }
        let before = ObjectDescriptor(stored)
        guard let card = self.limitedCard(of: session, writing: before.isPrivate) else { return set() }
        let after = ObjectDescriptor(AmendedAttributes(template: template, object: stored))
        return self.alone(on: card) { census in
            let refusal = card.limits.refusal(of: [after], on: census, replacing: before, operation: .setAttribute)
            // A device whose answer is CKR_OK acknowledges the change and forgets it.
            return refusal?.rawValue ?? set()
        }
    }
}
