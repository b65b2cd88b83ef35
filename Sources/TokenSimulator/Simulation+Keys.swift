internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// Functions that make keys (PKCS #11 v2.40, section 5.13) on a card that can be full.
extension Simulation {
    /// `C_GenerateKeyPair`. On a card that has room for the private half only, the profile's residue decides
    /// whether that half stays.
    func generateKeyPair(
        _ session: CK_SESSION_HANDLE, _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?, _ publicTemplate: Template,
        _ privateTemplate: Template, _ publicKey: UnsafeMutablePointer<CK_OBJECT_HANDLE>?,
        _ privateKey: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    ) -> CK_RV {
        let generate = { (publicKey, privateKey) -> CK_RV in
            self.inner.C_GenerateKeyPair?(
                session, mechanism, publicTemplate.pointer, publicTemplate.count, privateTemplate.pointer,
                privateTemplate.count, publicKey, privateKey) ?? CKR_FUNCTION_NOT_SUPPORTED
        }
        let publicHalf = ObjectDescriptor(publicTemplate, kind: .publicKey)
        var privateHalf = ObjectDescriptor(privateTemplate, kind: .privateKey)
        privateHalf.algorithm = publicHalf.algorithm
        let halves =
            (publicTemplate.isTokenObject ? [publicHalf] : []) + (privateTemplate.isTokenObject ? [privateHalf] : [])
        guard let isPrivate = halves.last?.isPrivate, let card = self.limitedCard(of: session, writing: isPrivate)
        else {
            return generate(publicKey, privateKey)
        }
        return self.alone(on: card) { census in
            guard let refusal = card.limits.pairRefusal(halves, on: census) else {
                return generate(publicKey, privateKey)
            }
            guard card.limits.leavesOrphan(of: halves, on: census) else { return refusal.rawValue }
            var orphaned = CK_OBJECT_HANDLE()
            var unwritten = CK_OBJECT_HANDLE()
            let result = generate(&unwritten, &orphaned)
            // Another failure comes before the one that the card would have met at its end.
            guard result == CKR_OK else { return result }
            return self.remove(unwritten, session: session) ?? refusal.rawValue
        }
    }

    /// `C_UnwrapKey` and `C_DeriveKey`: the size of the key is known only when it is there.
    func receiveKey(
        _ session: CK_SESSION_HANDLE, _ template: Template, _ key: UnsafeMutablePointer<CK_OBJECT_HANDLE>?,
        _ make: (UnsafeMutablePointer<CK_FUNCTION_LIST>, UnsafeMutablePointer<CK_OBJECT_HANDLE>?) -> CK_RV?
    ) -> CK_RV {
        let functions = self.module.functions
        guard template.isTokenObject, let key,
            let card = self.limitedCard(of: session, writing: template.flag(CKA_PRIVATE) ?? true)
        else { return make(functions, key) ?? CKR_FUNCTION_NOT_SUPPORTED }
        return self.alone(on: card) { census in
            var made = CK_OBJECT_HANDLE()
            let result = make(functions, &made) ?? CKR_FUNCTION_NOT_SUPPORTED
            guard result == CKR_OK else { return result }
            let stored = StoredAttributes(module: self.module, session: session, object: made)
            let refusal = card.limits.refusal(of: [ObjectDescriptor(stored)], on: census, operation: .create)
            guard let refusal else {
                key.pointee = made
                return CKR_OK
            }
            return self.remove(made, session: session) ?? refusal.rawValue
        }
    }

    /// Takes away an object that a real card would not have taken.
    ///
    /// - Returns: what the module inside says when it cannot be removed; `nil` when it is gone.
    private func remove(_ object: CK_OBJECT_HANDLE, session: CK_SESSION_HANDLE) -> CK_RV? {
        let result = self.inner.C_DestroyObject?(session, object) ?? CKR_FUNCTION_NOT_SUPPORTED
        guard result != CKR_OK else { return nil }
        let value = ReturnValue(rawValue: result)
        Simulator.log("an object that does not fit on the card could not be removed: C_DestroyObject gave \(value)")
        return result
    }
}

extension CardLimits {
    /// Whether a key pair that does not fit leaves its private half behind.
    func leavesOrphan(of halves: [ObjectDescriptor], on census: Census) -> Bool {
        let privateHalves = halves.filter { $0.kind == .privateKey }
        return self.capacity.residue.value == .orphanKey && halves.count == 2
            && !self.isPairLimitReached(by: halves, on: census)
            && self.refusal(of: privateHalves, on: census, operation: .keyGeneration) == nil
    }
}
