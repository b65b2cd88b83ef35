internal import CLibCrypto
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
}

/// A public key in libcrypto.
final class PublicKey {
    private let key: OpaquePointer

    init?(subjectPublicKeyInfo: [UInt8]) {
        let key = subjectPublicKeyInfo.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var position = buffer.baseAddress
            return d2i_PUBKEY(nil, &position, buffer.count)
        }
        guard let key else { return nil }
        self.key = key
    }

    deinit { EVP_PKEY_free(self.key) }

    func verifies(_ signature: [UInt8], of message: [UInt8], hash: HashAlgorithm?) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, hash.flatMap(Digest.method), nil, self.key) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// RSAES-PKCS1-v1_5, the padding of libcrypto's default and of every device.
    func encrypt(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
        let input = message.bindMemory(to: UInt8.self).baseAddress
        guard let context = EVP_PKEY_CTX_new(self.key, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var count = 0
        guard EVP_PKEY_encrypt_init(context) == 1,
            EVP_PKEY_encrypt(context, nil, &count, input, message.count) == 1
        else { return nil }
        var ciphertext = [UInt8](repeating: 0, count: count)
        guard EVP_PKEY_encrypt(context, &ciphertext, &count, input, message.count) == 1 else { return nil }
        return Array(ciphertext.prefix(count))
    }
}
