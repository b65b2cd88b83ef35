package import CertificateAuthority
import Diagnostics
package import KeyProvider
package import PKIMessages
package import SecretMemory

/// A private key of a requester, wherever it is: on the requester's own token, or in memory out of a PKCS #12. Never one of
/// a certification authority, of its exchange or of a recovery agent: those keys have no other kind than ``CASigningKey``.
package protocol RequesterKey: Sendable {
    var subjectPublicKeyInfo: SubjectPublicKeyInfo { get }
    /// Hash and scheme of its signatures.
    var algorithm: SignatureAlgorithmIdentifier { get }

    /// - Throws: what the token throws, also for a signature that does not verify; `PKIMessageError`.
    func sign(_ bytes: [UInt8]) async throws -> [UInt8]
}

/// A key on a token; every signature is verified.
extension CASigningKey: RequesterKey {}

/// A key in locked memory.
package struct SoftwareRequesterKey: RequesterKey {
    package let subjectPublicKeyInfo: SubjectPublicKeyInfo
    package let algorithm: SignatureAlgorithmIdentifier
    /// DER PrivateKeyInfo.
    let privateKey: SecretBytes

    /// - Parameter privateKey: DER PrivateKeyInfo.
    /// - Throws: `PKIMessageError` for what is no key, or for one that cannot sign.
    package init(privateKey: SecretBytes) throws {
        let publicKey = try PrivateKeyInfo(derEncoded: privateKey).subjectPublicKeyInfo()
        guard let algorithm = publicKey.defaultSignatureAlgorithm else {
            throw PKIMessageError.unsupportedAlgorithm("private key", publicKey.algorithm)
        }
        self.privateKey = privateKey
        self.subjectPublicKeyInfo = publicKey
        self.algorithm = algorithm
    }

    /// Makes a new one.
    ///
    /// - Throws: ``ServiceError`` with code `invalidName` for RSA keys below 2048 bits.
    package static func generate(_ algorithm: KeyAlgorithm) throws -> SoftwareRequesterKey {
        let kind: SoftwareKeys.Kind =
            switch algorithm {
            case .rsa(let bits) where bits >= 2048: .rsa(bits: bits)
            case .rsa(let bits):
                throw ServiceError.invalidName("The key length", "\(bits) bits are too few; 2048 is the least")
            case .p256: .p256
            case .p384: .p384
            case .p521: .p521
            case .ed25519: .ed25519
            }
        return try SoftwareRequesterKey(privateKey: SoftwareKeys.generate(kind))
    }

    package func sign(_ bytes: [UInt8]) throws -> [UInt8] {
        try SoftwareKeys.sign(bytes, with: self.privateKey, digest: self.algorithm.digest ?? .sha256)
    }

    /// The private key as PEM `ENCRYPTED PRIVATE KEY`: AES-256-CBC, PBKDF2 with HMAC-SHA-256 (RFC 8018).
    package func encryptedPEM(password: SecretBytes) throws -> [UInt8] {
        try SoftwareKeys.encryptedPEM(self.privateKey, password: password)
    }
}

/// A certificate and its private key: who renews it, or signs requests for others.
package struct RequesterCredential: Sendable {
    package let certificate: CertificateFields
    package let key: any RequesterKey

    /// - Throws: ``ServiceError`` with code `certificateKeyMismatch`, `PKIMessageError`.
    package init(pkcs12 contents: PKCS12.Contents) throws {
        self.certificate = try CertificateFields(derEncoded: contents.certificate)
        self.key = try SoftwareRequesterKey(privateKey: contents.privateKey)
        guard self.key.subjectPublicKeyInfo == self.certificate.subjectPublicKeyInfo else {
            throw ServiceError.certificateKeyMismatch("the PKCS #12 file")
        }
    }

    /// - Throws: ``ServiceError`` with code `certificateKeyMismatch` when the token does not have the key.
    package init(_ certificate: CertificateFields, on token: any KeyToken) async throws {
        let pair = try await token.keyPair(of: certificate.subjectPublicKeyInfo)
        self.certificate = certificate
        self.key = try CASigningKey(token: token, keyPair: pair)
    }

    /// - Parameter signedAttributes: `nil` signs the content itself, see `CosignedDataDraft.Signer`.
    func signer(_ signedAttributes: [CMSAttribute]? = []) -> CosignedDataDraft.Signer {
        CosignedDataDraft.Signer(
            .issuerAndSerialNumber(IssuerAndSerialNumber(self.certificate)), algorithm: self.key.algorithm,
            signedAttributes: signedAttributes)
    }
}

extension KeyToken {
    /// The key pair with this public key.
    ///
    /// - Throws: ``ServiceError`` with code `certificateKeyMismatch` when the token does not have it.
    package func keyPair(of publicKey: SubjectPublicKeyInfo) async throws -> TokenKeyPair {
        guard let pair = try await self.keyPairs().first(where: { $0.subjectPublicKeyInfo == publicKey.derBytes })
        else { throw ServiceError.certificateKeyMismatch("\(self.identification)") }
        return pair
    }
}

extension KeyToken {
    /// Removes the key pair of a request that gets no certificate.
    ///
    /// - Throws: ``ServiceError``: `certificateKeyMismatch` when the token does not have it, `keyCertified` when a
    ///   certificate is beside it.
    package func removeUncertifiedKey(_ publicKey: SubjectPublicKeyInfo) async throws -> TokenKeyPair {
        let pair = try await self.keyPair(of: publicKey)
        guard try await self.certificates(for: pair.locator).isEmpty else {
            throw ServiceError.keyCertified(pair.label)
        }
        try await self.removeKeyPair(pair.locator)
        return pair
    }
}

extension KeyPairSpecification {
    /// Room reserved on a token for the certificate that will come.
    static let expectedCertificateBytes = 1_400

    /// A requester's own key.
    package static func subscriber(_ algorithm: KeyAlgorithm, label: String) -> KeyPairSpecification {
        KeyPairSpecification(
            algorithm: algorithm, role: .subscriber, label: label, certificateBytes: self.expectedCertificateBytes)
    }
}

extension ServiceError {
    fileprivate static func keyCertified(_ label: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "keyCertified"), headline: "The key \"\(label)\" has a certificate and stays.",
            hresult: .accessDenied, advice: ["Remove it with the token's own tool if it is really not needed."])
    }
}
