internal import DeviceProfiles
internal import KeyProvider
internal import PKCS11

/// One operation that only the private key can do, judged by libcrypto with the public key.
struct KeyProof {
    let role: KeyRole
    let operation: String
    let profile: DeviceProfile

    /// - Throws: ``KeyProviderError`` `keyNotProven`, or what the token throws.
    func prove(_ key: PrivateKeyObject, _ session: Session) throws {
        guard let publicKey = PublicKey(subjectPublicKeyInfo: key.subjectPublicKeyInfo) else {
            throw KeyProviderError.notProven(operation: self.operation, reason: "the public key is not valid")
        }
        let challenge = try session.randomBytes(32)
        if self.role.signs {
            try self.proveSigning(key, publicKey, session, challenge)
        } else if key.algorithm.curve != nil {
            try self.proveAgreeing(key, publicKey, session, challenge)
        } else {
            try self.proveDecrypting(key, publicKey, session, challenge)
        }
    }

    private func proveSigning(
        _ key: PrivateKeyObject, _ publicKey: PublicKey, _ session: Session, _ challenge: [UInt8]
    ) throws {
        let algorithm: SignatureAlgorithm =
            switch key.algorithm {
            case .rsa: .rsaPKCS1v15(.sha256)
            case .p256, .p384, .p521: .ecdsa(.sha256)
            case .ed25519: .ed25519
            }
        let input = try SigningInput(
            challenge, algorithm, SigningConventions(self.profile), operation: self.operation)
        let signature = try input.sign(session, key.usable)
        guard publicKey.verifies(signature, of: challenge, hash: algorithm.hash) else {
            throw KeyProviderError.notProven(
                operation: self.operation, reason: "a test signature does not verify with the public key")
        }
    }

    private func proveDecrypting(
        _ key: PrivateKeyObject, _ publicKey: PublicKey, _ session: Session, _ challenge: [UInt8]
    ) throws {
        guard let ciphertext = challenge.withUnsafeBytes({ publicKey.encrypt($0) }) else {
            throw KeyProviderError.notProven(
                operation: self.operation, reason: "the public key does not encrypt a test message")
        }
        // The challenge is random and no secret: ordinary memory will do.
        var opened = [UInt8](repeating: 0, count: max(512, ciphertext.count))
        let count = try opened.withUnsafeMutableBytes {
            try session.decrypt(ciphertext, with: key.handle, Mechanism(.rsaPKCS), into: $0)
        }
        guard Array(opened.prefix(count)) == challenge else {
            throw KeyProviderError.notProven(
                operation: self.operation, reason: "the key does not decrypt a test message")
        }
    }

    /// A key on a curve that cannot sign agrees on an AES key with this host.
    private func proveAgreeing(
        _ key: PrivateKeyObject, _ publicKey: PublicKey, _ session: Session, _ challenge: [UInt8]
    ) throws {
        let vector = try session.randomBytes(16)
        guard let sealed = try publicKey.seal(challenge, initializationVector: vector) else {
            throw KeyProviderError.notProven(
                operation: self.operation, reason: "the public key does not agree on a key")
        }
        let agreed = try session.deriveKey(
            from: key.handle, .ecdh(point: sealed.point),
            template: TransientTemplates.derivedSecretKey()
                .inSession(of: .secretKey, self.profile.template, operation: self.operation))
        var opened = [UInt8](repeating: 0, count: sealed.ciphertext.count)
        let result = Result {
            try opened.withUnsafeMutableBytes {
                try session.decrypt(
                    sealed.ciphertext, with: agreed, .aesCBCPad(initializationVector: vector), into: $0)
            }
        }
        // Where it cannot be destroyed the session is broken, and closing it takes its objects away.
        let destroyed = Result { try session.destroyObject(agreed) }
        let count = try result.get()
        try destroyed.get()
        guard Array(opened.prefix(count)) == challenge else {
            throw KeyProviderError.notProven(
                operation: self.operation, reason: "the key does not open a test message")
        }
    }
}
