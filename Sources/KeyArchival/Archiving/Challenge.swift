import KeyProvider
import PKIMessages
import SecretMemory

/// Random bytes that only the holder of a public key's private half can read: who does has the private key.
///
/// To an RSA key they are encrypted. With a key on a curve an AES-256 key is agreed on (NIST SP 800-56A, section 6.2.2), of
/// which the token knows its part only by the private key, and they are encrypted with that.
struct Challenge: Sendable {
    private let bytes: [UInt8]
    private let ciphertext: [UInt8]
    private let proof: Proof

    private enum Proof: Sendable {
        case decryption(KeyTransportAlgorithm)
        case agreement(point: [UInt8], ContentCipher)
    }

    /// - Parameters:
    ///   - random: gives as many random bytes as it is asked for.
    ///   - oaepHashes: that the token takes, best first.
    init(
        to publicKey: SubjectPublicKeyInfo, oaepHashes: [HashAlgorithm], random: @Sendable (Int) throws -> [UInt8]
    ) throws {
        self.bytes = try random(32)
        guard publicKey.isRSA else {
            let agreement = try KeyAgreement(with: publicKey)
            let cipher = ContentCipher(algorithm: .aes256, initializationVector: try random(16))
            let key = try agreement.secret.withUnsafeBytes {
                try SecretBytes(copying: $0.suffix(cipher.algorithm.keyBytes))
            }
            self.ciphertext = try SymmetricCipher.aes256CBC.encrypt(
                SecretBytes(copying: self.bytes), key: key, iv: cipher.initializationVector)
            self.proof = .agreement(point: agreement.point, cipher)
            return
        }
        let (count, modulusBytes) = (self.bytes.count, publicKey.keySizeBits / 8)
        // RFC 8017, section 7.1.1: OAEP leaves room for the modulus less two hashes and two bytes.
        let fitting = oaepHashes.first { hash in
            guard case .oaep(let digest) = TransportPadding(.rsaOAEP(hash)) else { return false }
            return count <= modulusBytes - 2 * digest.byteCount - 2
        }
        let transport = fitting.map { KeyTransportAlgorithm.rsaOAEP($0) } ?? .rsaPKCS1v15
        self.ciphertext = try KeyTransport.encrypt(self.bytes, to: publicKey, transport: TransportPadding(transport))
        self.proof = .decryption(transport)
    }

    /// - Throws: ``ArchivalError`` with code `keyMismatch`; ``KeyProviderError`` when the token fails.
    func prove(_ key: TransientKey, _ operations: any TransientKeyOperations) throws {
        let isRead: Bool
        do {
            isRead = try self.isRead(by: key, operations)
        } catch let error as KeyProviderError {
            guard let refused = RefusedCiphertext(error) else { throw error }
            throw ArchivalError.keyMismatch(with: "the public key of the request", refused.tokenFailure)
        }
        guard isRead else { throw ArchivalError.keyMismatch(with: "the public key of the request") }
    }

    private func isRead(by key: TransientKey, _ operations: any TransientKeyOperations) throws -> Bool {
        switch self.proof {
        case .decryption(let transport):
            return try operations.decrypt(self.ciphertext, with: key, transport: transport) == self.bytes
        case .agreement(let point, let cipher):
            let agreed = try operations.deriveSecretKey(from: key, with: point)
            return try operations.decrypt(self.ciphertext, with: agreed, cipher: cipher)
                .matches(SecretBytes(copying: self.bytes))
        }
    }
}
