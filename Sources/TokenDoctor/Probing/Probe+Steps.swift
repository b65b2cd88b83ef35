internal import DeviceProfiles
internal import Diagnostics
internal import PKCS11

extension Probe {
    /// The attributes of the new private key: they decide whether it may be a key of an authority at all.
    func judgeAttributes() throws {
        let read = try self.session.attributes(
            of: self.key.privateKey, .sensitive, .extractable, .alwaysSensitive, .neverExtractable, .local)
        let rules: [(name: String, isMet: Bool)] = [
            ("SENSITIVE", read[.sensitive] == true), ("EXTRACTABLE", read[.extractable] == false),
            ("ALWAYS_SENSITIVE", read[.alwaysSensitive] != false),
            ("NEVER_EXTRACTABLE", read[.neverExtractable] != false), ("LOCAL", read[.local] != false),
        ]
        let broken = rules.filter { !$0.isMet }.map(\.name)
        // Only where a key was made here can its CKA_LOCAL be a fault of the device and not of the key.
        self.measured.ignoredAttributes = (self.measured.ignoredAttributes ?? []).union(
            broken.filter { $0 == "LOCAL" })
        let judged = broken.filter { self.profile.template.ignore.value?.contains($0) != true }
        guard judged.isEmpty else {
            throw ProbeFailure(
                "the token says of a key made on it what must not be: "
                    + judged.map { "CKA_\($0)" }.joined(separator: ", "),
                change: judged == ["LOCAL"]
                    ? "If the vendor confirms that CKA_LOCAL means nothing, put LOCAL into template.ignore of the profile."
                    : "Do not use this device for this key.")
        }
    }

    /// Signs, has libcrypto verify, and measures.
    func sign() throws {
        let message = try self.random(64)
        let digest = HostCrypto.sha256(message)
        var times: [Double] = []
        var signature: [UInt8] = []
        let begin = self.milliseconds()
        repeat {
            let (made, time) = try self.timed {
                if self.kind.isRSA {
                    return try self.session.sign(
                        PublicKeyEncoding.digestInfo(digest), with: self.key.privateKey, Mechanism(.rsaPKCS))
                }
                return self.kind.curve == nil
                    ? try self.session.sign(message, with: self.key.privateKey, Mechanism(.eddsa))
                    : try self.session.sign(digest, with: self.key.privateKey, Mechanism(.ecdsa))
            }
            signature = made
            times.append(time)
        } while times.count < 20 && self.milliseconds() - begin < 1_000
        try self.verify(signature, of: message)
        self.record(times)
    }

    private func verify(_ signature: [UInt8], of message: [UInt8]) throws {
        guard let curve = self.kind.curve else {
            guard self.host.verifies(signature, of: message, self.kind.isRSA ? .hashed : .whole) else {
                throw self.wrongSignature()
            }
            return
        }
        let isRaw = signature.count == 2 * curve.fieldBytes
        let der = isRaw ? PublicKeyEncoding.ecdsaSignature(raw: signature) : signature
        guard self.host.verifies(der, of: message) else { throw self.wrongSignature() }
        self.measured.ecdsaWorks = true
        self.measured.signatureEncoding = isRaw ? .raw : .der
        if !isRaw, self.profile.template.ecdsaSignature.value != .der {
            throw ProbeFailure(
                "the token gives ECDSA signatures as DER, and the profile does not say so",
                change: "Put ecdsa_sig: der into the section template of the device profile.")
        }
    }

    private func wrongSignature() -> ProbeFailure {
        ProbeFailure(
            "the signature does not verify with the public key",
            change: "Take the device out of service until its vendor has explained it.")
    }

    private func record(_ times: [Double]) {
        let sorted = times.sorted()
        let field: String? =
            switch self.kind {
            case .signingP256: "sign_p256"
            case .signingP384: "sign_p384"
            case .signingRSA2048, .agentRSA2048, .exchangeRSA2048: "sign_rsa2048"
            // The profile has no field for these.
            case .signingP521, .signingEd25519, .signingRSA3072, .signingRSA4096: nil
            }
        guard let field else { return }
        self.measured.latencies[field] = sorted[sorted.count / 2]
        self.measured.slowest = max(self.measured.slowest ?? 0, sorted.last ?? 0)
    }

    /// Signs by RSA-PSS with SHA-256 and a salt as long (RFC 8017, section 8.1), and has libcrypto verify.
    func signPSS() throws {
        let message = try self.random(64)
        let signature = try self.session.sign(
            HostCrypto.sha256(message), with: self.key.privateKey, .rsaPSS(.sha256, saltBytes: 32))
        guard self.host.verifies(signature, of: message, .pss) else { throw self.wrongSignature() }
    }

    /// Opens what libcrypto encrypted to the public key.
    func decrypt(oaep hash: OAEPHash?) throws {
        let message = try self.random(32)
        guard let ciphertext = self.host.encrypt(message, oaep: hash) else {
            throw ProbeFailure(
                "libcrypto of this machine does not encrypt so",
                change: "Look at the OpenSSL configuration of this machine.")
        }
        if let hash { self.measured.oaep[hash] = false }
        let opened = try self.open(ciphertext, self.key.privateKey, hash?.mechanism ?? Mechanism(.rsaPKCS))
        guard opened == message else { throw self.wrongPlaintext() }
        if let hash { self.measured.oaep[hash] = true }
    }

    private func open(_ ciphertext: [UInt8], _ key: ObjectHandle, _ mechanism: Mechanism) throws -> [UInt8] {
        // Random bytes of the probe's own, no secret: ordinary memory will do.
        var plaintext = [UInt8](repeating: 0, count: 512)
        let count = try plaintext.withUnsafeMutableBytes {
            try self.session.decrypt(ciphertext, with: key, mechanism, into: $0)
        }
        return Array(plaintext.prefix(count))
    }

    private func wrongPlaintext() -> ProbeFailure {
        ProbeFailure(
            "the key opens the message to something else", change: "Take the device out of service.")
    }

    /// A certificate with the key's `CKA_ID`, read back.
    func storeCertificate() throws {
        let template = TransientTemplate.certificate(id: self.id, onToken: self.onToken)
        let size = self.storedSize()
        let certificate = try self.session.createObject(template)
        if let bytes = size?.bytes(of: [certificate], in: self.session)?.bytes, bytes >= TestCertificate.der.count {
            self.measured.certificateHeader = bytes - TestCertificate.der.count
        }
        let stored = try self.session.attributes(of: certificate, .value)[.value]
        try self.session.destroyObject(certificate)
        guard stored == TestCertificate.der else {
            throw ProbeFailure(
                "the token does not give back the certificate that it said it stored",
                change: "Keep certificates in files, or use another device.")
        }
    }

    /// All of an archive record in the form `cms-aes`: a fresh key, content encrypted with it, the key wrapped to an
    /// agent.
    func encryptRecord() throws {
        let key = try self.freshKey()
        let content = try self.random(48)
        let initializationVector = try self.random(16)
        _ = try content.withUnsafeBytes {
            try self.session.encrypt($0, with: key, .aesCBCPad(initializationVector: initializationVector))
        }
        try self.wrapToAgent(key)
    }

    private func freshKey() throws -> ObjectHandle {
        self.measured.makesSecretKeys = false
        let key = try self.session.generateKey(Mechanism(.aesKeyGen), template: TransientTemplate.generatedAES())
        self.measured.makesSecretKeys = true
        return key
    }

    /// Wraps an AES key under another one and unwraps it: the two halves have to encrypt alike.
    func wrapSecretKey(_ mechanism: Mechanism) throws {
        let wrapping = try self.session.generateKey(
            Mechanism(.aesKeyGen), template: TransientTemplate.wrappingAES())
        let key = try self.freshKey()
        let wrapped = try self.session.wrapKey(key, under: wrapping, mechanism)
        guard wrapped.count == 40 else {
            throw ProbeFailure(
                "a wrapped AES-256 key has \(wrapped.count) bytes and not 40", change: "Do not use this mechanism.")
        }
        let again = try self.session.unwrapKey(
            wrapped, with: wrapping, mechanism, template: TransientTemplate.rewrappedAES(self.profile))
        let initializationVector = try self.random(16)
        let content = try self.random(32)
        let encrypted = try [key, again].map { key in
            try content.withUnsafeBytes {
                try self.session.encrypt($0, with: key, .aesCBCPad(initializationVector: initializationVector))
            }
        }
        guard encrypted[0] == encrypted[1] else { throw self.wrongPlaintext() }
        for object in [wrapping, key, again] { try self.session.destroyObject(object) }
    }

    /// Encrypts by AES-GCM under a key that libcrypto knows as well, and has libcrypto open it.
    func encryptGCM() throws {
        let known = try self.random(32)
        guard let transported = self.host.encrypt(known, oaep: nil) else {
            throw ProbeFailure("libcrypto does not encrypt", change: "Check the OpenSSL version.")
        }
        let key = try self.session.unwrapKey(
            transported, with: self.key.privateKey, Mechanism(.rsaPKCS),
            template: TransientTemplate.rewrappedAES(self.profile))
        let (message, initializationVector) = (try self.random(48), try self.random(12))
        let sealed = try message.withUnsafeBytes {
            try self.session.encrypt($0, with: key, .aesGCM(initializationVector: initializationVector))
        }
        guard HostCrypto.openGCM(sealed, key: known, initializationVector: initializationVector) == message else {
            throw self.wrongPlaintext()
        }
        try self.session.destroyObject(key)
    }

    private func wrapToAgent(_ key: ObjectHandle) throws {
        guard let components = self.host.rsaComponents else {
            throw ProbeFailure("libcrypto does not tell the parts of an RSA key", change: "Check the OpenSSL version.")
        }
        let agent = try self.session.createObject(TransientTemplate.recipient(components))
        let wrapped = try self.session.wrapKey(key, under: agent, Mechanism(.rsaPKCS))
        guard wrapped.count == components.modulus.count else {
            throw ProbeFailure("a key wrapped to an RSA key has another length than it", change: "Use another device.")
        }
        try self.session.destroyObject(agent)
        try self.session.destroyObject(key)
    }

    /// All of an archive record in the form `token-wrapped`: the requester's private key is unwrapped, proven and wrapped
    /// again, and no plaintext leaves the token.
    func rewrapPrivateKey() throws {
        self.measured.keyWrap = .some(nil)
        guard let sent = HostKey.makeRSA(bits: 2048), let privateKeyInfo = sent.privateKeyInfo else {
            throw ProbeFailure("libcrypto cannot make a key to send", change: "Check the OpenSSL version.")
        }
        let contentKey = try self.random(32)
        guard let wrapped = HostCrypto.keyWrapPadded(privateKeyInfo, under: contentKey),
            let transported = self.host.encrypt(contentKey, oaep: nil)
        else { throw ProbeFailure("libcrypto cannot wrap a key", change: "Check the OpenSSL version.") }
        var failure: (any Error)?
        for type in self.keyWrapMechanisms {
            do {
                try self.rewrap(wrapped, transported, sent, Mechanism(type))
                self.measured.keyWrap = .some(type)
                return
            } catch {
                guard ProbeFailure(error).returnValue == .mechanismInvalid else { throw error }
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func rewrap(
        _ wrapped: [UInt8], _ transported: [UInt8], _ sent: HostKey, _ mechanism: Mechanism
    ) throws {
        let contentKey = try self.session.unwrapKey(
            transported, with: self.key.privateKey, Mechanism(.rsaPKCS),
            template: TransientTemplate.unwrappedAES(self.profile))
        let key = try self.session.unwrapKey(
            wrapped, with: contentKey, mechanism, template: TransientTemplate.unwrappedRSA())
        let challenge = try self.random(32)
        guard let ciphertext = sent.encrypt(challenge, oaep: nil) else {
            throw ProbeFailure("libcrypto does not encrypt", change: "Check the OpenSSL version.")
        }
        guard try self.open(ciphertext, key, Mechanism(.rsaPKCS)) == challenge else { throw self.wrongPlaintext() }
        let fresh = try self.freshKey()
        guard try self.session.wrapKey(key, under: fresh, mechanism).count > 1_000 else {
            throw ProbeFailure("the wrapped private key is too short to be one", change: "Use another device.")
        }
        try self.wrapToAgent(fresh)
        try self.session.destroyObject(key)
        try self.session.destroyObject(contentKey)
    }
}
