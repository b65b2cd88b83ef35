internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11
public import SecretMemory

extension TokenKeyStore {
    /// Hashes on the host, and has the token sign by `CKM_RSA_PKCS` or `CKM_ECDSA`: what every device has.
    public func sign(
        _ message: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm
    ) async throws -> [UInt8] {
        let operation = "sign with the key \(key.reference)"
        let encoding = self.profile.template.ecdsaSignature.value
        let input = try SigningInput(message, algorithm, operation: operation)
        return try await self.withKey(key, operation: operation) { session, key in
            try input.sign(session, key, derFromToken: encoding == .der)
        }
    }

    /// `C_Decrypt` into locked memory.
    public func decrypt(
        _ ciphertext: [UInt8], with key: KeyLocator, transport: KeyTransportAlgorithm
    ) async throws -> SecretBytes {
        let operation = "decrypt with the key \(key.reference)"
        try transport.require(by: self.profile, operation: operation)
        return try await self.withKey(key, operation: operation) { session, key in
            guard key.algorithm.isRSA else {
                throw KeyProviderError.unsupported(
                    operation: operation, reason: "the key is not an RSA key", advice: "Use an RSA key to decrypt.")
            }
            return try SecretBytes(capacity: max(512, ciphertext.count)) { buffer in
                try session.decrypt(ciphertext, with: key.handle, transport.mechanism, into: buffer)
            }
        }
    }
}

/// A message hashed and ready for the token.
struct SigningInput: Sendable {
    let algorithm: SignatureAlgorithm
    let digest: [UInt8]
    let operation: String

    init(_ message: [UInt8], _ algorithm: SignatureAlgorithm, operation: String) throws(KeyProviderError) {
        self.algorithm = algorithm
        self.operation = operation
        self.digest = try TokenKeyStore.hash(message, algorithm.hash, operation: operation)
    }

    func sign(_ session: Session, _ key: PrivateKeyObject, derFromToken: Bool) throws -> [UInt8] {
        switch (self.algorithm, key.algorithm.curve) {
        case (.rsaPKCS1v15(let hash), nil):
            return try session.sign(
                Digest.digestInfo(self.digest, hash), with: key.handle, Mechanism(.rsaPKCS))
        case (.ecdsa, let curve?):
            // FIPS 186-4, section 6.4: a longer hash is cut at the length of the order.
            let signature = try session.sign(
                Array(self.digest.prefix(curve.fieldBytes)), with: key.handle, Mechanism(.ecdsa))
            return try self.der(signature, curve, derFromToken: derFromToken)
        default:
            throw KeyProviderError.unsupported(
                operation: self.operation, reason: "the key is \(key.algorithm) and the algorithm is not for it",
                advice: "Choose a signature algorithm that fits the key.")
        }
    }

    private func der(
        _ signature: [UInt8], _ curve: NamedCurve, derFromToken: Bool
    ) throws(KeyProviderError) -> [UInt8] {
        if derFromToken, ECDSASignature.isValid(der: signature, curve: curve) { return signature }
        if !derFromToken, let der = ECDSASignature.der(rawSignature: signature, curve: curve) { return der }
        throw .malformedResult(
            operation: self.operation, reason: "the token gave \(signature.count) bytes that are not a signature")
    }
}

extension SignatureAlgorithm {
    var hash: HashAlgorithm {
        switch self {
        case .rsaPKCS1v15(let hash), .ecdsa(let hash): hash
        }
    }
}
