internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// The arguments of `C_GenerateKeyPair` but for the session.
struct KeyPairArguments {
    var mechanism: UnsafeMutablePointer<CK_MECHANISM>?
    var publicTemplate: Template
    var privateTemplate: Template
    var publicKey: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    var privateKey: UnsafeMutablePointer<CK_OBJECT_HANDLE>?

    /// What the pair will be, the public half first.
    var halves: [ObjectDescriptor] {
        let publicHalf = ObjectDescriptor(self.publicTemplate, kind: .publicKey)
        var privateHalf = ObjectDescriptor(self.privateTemplate, kind: .privateKey)
        privateHalf.algorithm = publicHalf.algorithm
        return [publicHalf, privateHalf]
    }

    /// The halves that are to be stored on the token.
    var storedHalves: [ObjectDescriptor] {
        let halves = self.halves
        return (self.publicTemplate.isTokenObject ? [halves[0]] : [])
            + (self.privateTemplate.isTokenObject ? [halves[1]] : [])
    }
}

/// Functions that make keys (PKCS #11 v2.40, section 5.13) on a card that can be full.
extension Simulation {
    /// `C_GenerateKeyPair`.
    func generateKeyPair(_ session: CK_SESSION_HANDLE, _ arguments: KeyPairArguments) -> CK_RV {
        self.call(.generateKeyPair, in: session, about: .template(arguments.privateTemplate)) { use in
            guard let card = use.card else { return self.generate(arguments, use) }
            if let refusal = self.refusal(ofGenerationBy: use, card) {
                return self.refuse(.generateKeyPair, refusal, arguments.mechanism)
            }
            let mechanisms = card.rule.mechanisms
            let key = arguments.halves[1]
            let refusal =
                mechanisms.refusal(of: arguments.mechanism, use: CKF_GENERATE_KEY_PAIR)
                ?? mechanisms.refusal(of: arguments.mechanism, keySize: key.algorithm?.keyBits)
            if let refusal { return self.refuse(.generateKeyPair, refusal, arguments.mechanism) }
            let started = Moment.now()
            let result = self.making(
                .generateKeyPair, arguments.publicTemplate, objectClass: CKO_PUBLIC_KEY, in: use
            ) { publicTemplate in
                self.making(
                    .generateKeyPair, arguments.privateTemplate, objectClass: CKO_PRIVATE_KEY, in: use
                ) { privateTemplate in
                    var kept = arguments
                    kept.publicTemplate = publicTemplate
                    kept.privateTemplate = privateTemplate
                    return self.generateIfItFits(kept, use)
                }
            }
            if result == CKR_OK { card.takeTime(card.profile.latency.generation(of: key), since: started) }
            return result
        }
    }

    /// What the card says to the generation of keys by someone else than who may.
    func refusal(ofGenerationBy use: SessionUse, _ card: Card) -> ReturnValue? {
        guard let role = card.profile.login.keyGenerationRole.value else { return nil }
        var info = CK_SESSION_INFO()
        guard self.inner.C_GetSessionInfo?(use.handle, &info) == CKR_OK else { return nil }
        let isAllowed =
            switch role {
            case .user: info.state == CKS_RW_USER_FUNCTIONS || info.state == CKS_RO_USER_FUNCTIONS
            case .so: info.state == CKS_RW_SO_FUNCTIONS
            }
        return isAllowed ? nil : .userNotLoggedIn
    }

    /// On a card that has room for the private half only, the profile's residue decides whether that half stays.
    private func generateIfItFits(_ arguments: KeyPairArguments, _ use: SessionUse) -> CK_RV {
        let halves = arguments.storedHalves
        guard let isPrivate = halves.last?.isPrivate, let card = self.limitedCard(of: use, writing: isPrivate)
        else { return self.generate(arguments, use) }
        return self.alone(on: card) { census in
            guard let refusal = card.limits.pairRefusal(halves, on: census) else {
                return self.generate(arguments, use)
            }
            self.events?.write(.generateKeyPair, "\(card.name) is full: \(refusal)")
            if refusal == .ok {
                var acknowledged = use
                acknowledged.effect = .lose
                return self.generate(arguments, acknowledged)
            }
            guard card.limits.leavesOrphan(of: halves, on: census) else { return refusal.rawValue }
            var orphaned = CK_OBJECT_HANDLE()
            var unwritten = CK_OBJECT_HANDLE()
            var discarded = arguments
            discarded.publicKey = nil
            discarded.privateKey = nil
            let result = self.generate(discarded, use, &unwritten, &orphaned)
            // Another failure comes before the one that the card would have met at its end.
            guard result == CKR_OK else { return result }
            return self.remove(unwritten, in: use) ?? refusal.rawValue
        }
    }

    /// Generates in the module inside and shows the program its handles.
    private func generate(_ arguments: KeyPairArguments, _ use: SessionUse) -> CK_RV {
        let result = self.generate(arguments, use, arguments.publicKey, arguments.privateKey)
        guard result == CKR_OK, let publicKey = arguments.publicKey, let privateKey = arguments.privateKey else {
            return result
        }
        switch use.effect {
        case .crash:
            // The card has written the key, and its directory does not know the rest.
            _ = self.inner.C_DestroyObject?(use.handle, publicKey.pointee)
            Simulation.crash()
        case .lose:
            _ = self.inner.C_DestroyObject?(use.handle, publicKey.pointee)
            _ = self.inner.C_DestroyObject?(use.handle, privateKey.pointee)
        default: break
        }
        use.show(publicKey)
        use.show(privateKey)
        return result
    }

    private func generate(
        _ arguments: KeyPairArguments, _ use: SessionUse, _ publicKey: UnsafeMutablePointer<CK_OBJECT_HANDLE>?,
        _ privateKey: UnsafeMutablePointer<CK_OBJECT_HANDLE>?
    ) -> CK_RV {
        self.inner.C_GenerateKeyPair?(
            use.handle, arguments.mechanism, arguments.publicTemplate.pointer, arguments.publicTemplate.count,
            arguments.privateTemplate.pointer, arguments.privateTemplate.count, publicKey, privateKey)
            ?? CKR_FUNCTION_NOT_SUPPORTED
    }

    /// `C_UnwrapKey` and `C_DeriveKey`: the size of the key is known only when it is there.
    ///
    /// - Parameters:
    ///   - base: the key that unwraps, or from which the new one is derived.
    ///   - make: gets that key, the mechanism as the module inside knows it, the template that is kept and where the
    ///     new key's handle goes.
    func receiveKey(
        _ function: FunctionName, _ session: CK_SESSION_HANDLE,
        _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?, _ base: CK_OBJECT_HANDLE, _ template: Template,
        _ key: UnsafeMutablePointer<CK_OBJECT_HANDLE>?,
        _ make: (
            SessionUse, UnsafeMutablePointer<CK_MECHANISM>?, CK_OBJECT_HANDLE, Template,
            UnsafeMutablePointer<CK_OBJECT_HANDLE>?
        ) -> CK_RV?
    ) -> CK_RV {
        self.call(function, in: session, about: .object(base)) { use in
            let flag = function == .unwrapKey ? CKF_UNWRAP : CKF_DERIVE
            if let refusal = use.card?.refusal(of: mechanism, use: flag) {
                return self.refuse(function, refusal, mechanism)
            }
            if function == .unwrapKey, let refusal = use.card?.rule.template.refusal(ofUnwrapping: template) {
                return self.refuse(function, refusal, mechanism)
            }
            return use.withKey(base) { base in
                self.making(function, template, objectClass: template.number(CKA_CLASS), in: use) { template in
                    let result = use.withInner(mechanism, for: function) { mechanism in
                        self.receive(use, template, key) { make(use, mechanism, base, template, $0) }
                    }
                    guard result == CKR_OK, let key else { return result }
                    if use.effect == .lose { _ = self.inner.C_DestroyObject?(use.handle, key.pointee) }
                    use.show(key)
                    return result
                }
            }
        }
    }

    private func receive(
        _ use: SessionUse, _ template: Template, _ key: UnsafeMutablePointer<CK_OBJECT_HANDLE>?,
        _ make: (UnsafeMutablePointer<CK_OBJECT_HANDLE>?) -> CK_RV?
    ) -> CK_RV {
        guard template.isTokenObject, let key,
            let card = self.limitedCard(of: use, writing: template.flag(CKA_PRIVATE) ?? true)
        else { return make(key) ?? CKR_FUNCTION_NOT_SUPPORTED }
        return self.alone(on: card) { census in
            var made = CK_OBJECT_HANDLE()
            let result = make(&made) ?? CKR_FUNCTION_NOT_SUPPORTED
            guard result == CKR_OK else { return result }
            let descriptor = ObjectDescriptor(use.attributes(made))
            let refusal = card.limits.refusal(of: [descriptor], on: census, operation: .create)
            if refusal == nil || refusal == .ok { key.pointee = made }
            guard let refusal else { return CKR_OK }
            return self.remove(made, in: use) ?? refusal.rawValue
        }
    }

    /// Takes away an object that a real card would not have taken.
    ///
    /// - Returns: what the module inside says when it cannot be removed; `nil` when it is gone.
    private func remove(_ object: CK_OBJECT_HANDLE, in use: SessionUse) -> CK_RV? {
        let result = self.inner.C_DestroyObject?(use.handle, object) ?? CKR_FUNCTION_NOT_SUPPORTED
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

extension KeyPairAlgorithm {
    /// The size by which `CK_MECHANISM_INFO` bounds it.
    fileprivate var keyBits: Int {
        switch self {
        case .rsa(let bits): bits
        case .p256: 256
        case .p384: 384
        case .p521: 521
        }
    }
}
