public import Diagnostics
public import SecretMemory

/// What the token says of a private key (PKCS #11 v2.40, table 33). `nil` where it does not say.
public struct KeyAttributes: Hashable, Sendable, Codable {
    public var isPrivate: Bool?
    public var sensitive: Bool?
    public var alwaysSensitive: Bool?
    public var extractable: Bool?
    public var neverExtractable: Bool?
    /// Made on the token (`CKA_LOCAL`).
    public var local: Bool?

    public init(
        isPrivate: Bool? = nil, sensitive: Bool? = nil, alwaysSensitive: Bool? = nil, extractable: Bool? = nil,
        neverExtractable: Bool? = nil, local: Bool? = nil
    ) {
        self.isPrivate = isPrivate
        self.sensitive = sensitive
        self.alwaysSensitive = alwaysSensitive
        self.extractable = extractable
        self.neverExtractable = neverExtractable
        self.local = local
    }
}

/// A key pair that is on a token, as much of it as may be seen.
public struct TokenKeyPair: Hashable, Sendable {
    public var locator: KeyLocator
    /// DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
    public var subjectPublicKeyInfo: [UInt8]
    public var algorithm: KeyAlgorithm
    /// `CKA_LABEL`.
    public var label: String
    public var attributes: KeyAttributes

    public init(
        locator: KeyLocator, subjectPublicKeyInfo: [UInt8], algorithm: KeyAlgorithm, label: String,
        attributes: KeyAttributes
    ) {
        self.locator = locator
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.algorithm = algorithm
        self.label = label
        self.attributes = attributes
    }
}

/// What to generate.
public struct KeyPairSpecification: Hashable, Sendable {
    public var algorithm: KeyAlgorithm
    public var role: KeyRole
    /// `CKA_LABEL` of both halves.
    public var label: String
    /// Bytes of certificate that will be stored beside the key and are reserved with it, 0 for none.
    public var certificateBytes: Int
    /// Whether the private key may be wrapped, so that another token can have a copy of it, or of an imported key a file
    /// (`CKA_EXTRACTABLE`).
    public var mayBeCopied: Bool

    public init(
        algorithm: KeyAlgorithm, role: KeyRole, label: String, certificateBytes: Int, mayBeCopied: Bool = false
    ) {
        self.algorithm = algorithm
        self.role = role
        self.label = label
        self.certificateBytes = certificateBytes
        self.mayBeCopied = mayBeCopied
    }
}

/// What a token has and has left, by its own word or by the profile's cost model. `nil` is "unknown".
public struct TokenCapacity: Hashable, Sendable {
    public var objects: Int
    public var maximumObjects: Int?
    /// Bytes in use by the cost model.
    public var usedBytes: Int
    public var totalBytes: Int?
    public var freeBytes: Int?

    public init(objects: Int, maximumObjects: Int?, usedBytes: Int, totalBytes: Int?, freeBytes: Int?) {
        self.objects = objects
        self.maximumObjects = maximumObjects
        self.usedBytes = usedBytes
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
    }
}

/// Signs whole messages with a private key on the token. The only thing issuance needs of a token.
public protocol Signing: Sendable {
    /// - Parameter message: the bytes to sign; hashed on the host or by the token as the profile says.
    /// - Returns: PKCS #1 signature, or DER `ECDSA-Sig-Value`. Not verified yet: the caller verifies it.
    /// - Throws: ``KeyProviderError``.
    func sign(_ message: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm) async throws -> [UInt8]
}

/// Signs what is too large to be handed over: the hash of it.
public protocol DigestSigning: Signing {
    /// - Parameters:
    ///   - digest: the hash that `algorithm` names, of the bytes to sign.
    /// - Returns: the signature over those bytes; see ``Signing/sign(_:with:algorithm:)``.
    /// - Throws: ``KeyProviderError``; with code `unsupported` where the token or the algorithm wants the bytes themselves.
    func sign(digest: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm) async throws -> [UInt8]
}

/// Keeps the handles of keys between their uses, and can be told not to trust them.
public protocol HandleKeeping: Sendable {
    /// Drops every handle: each key is found by its locator again, and its public key compared, before its next use. For
    /// who has seen a signature that does not fit its key, because a stale handle can name another key.
    ///
    /// - Returns: where `key` is found now.
    func distrustHandles(afterUseOf key: KeyLocator) async -> DoubtedHandle
}

/// What there is to say of the handle by which a key was used.
public enum DoubtedHandle: Equatable, Sendable {
    /// The key has it now as well: what was done with the handle was done with the key.
    case right
    /// The key has another one now: the handle can have named another key, as after a token was away and back.
    case changed
    /// The key is not found, for the reason that a report's headline gives.
    case keyNotFound(String)
}

/// Decrypts with a private key on the token.
public protocol KeyDecrypting: Sendable {
    /// Decrypts a content-encryption key (`C_Decrypt`). The result is host plaintext, in locked memory.
    func decrypt(
        _ ciphertext: [UInt8], with key: KeyLocator, transport: KeyTransportAlgorithm
    ) async throws
        -> SecretBytes
}

/// Makes key pairs and puts certificates beside them.
public protocol KeyGenerating: Sendable {
    /// Checks the capacity for the whole specification first, then generates, reads the attributes back and proves
    /// the key by an operation. A failure half-way removes what was written.
    ///
    /// - Throws: ``KeyProviderError``; with code ``KeyProviderError/Code/tokenFull`` and `0x80100028` when it does
    ///   not fit.
    func generateKeyPair(_ specification: KeyPairSpecification) async throws -> TokenKeyPair

    /// Writes a certificate beside its private key, with the same `CKA_ID`, after checking the room for it.
    func storeCertificate(_ certificateDER: [UInt8], for key: KeyLocator, label: String) async throws

    /// Removes both halves of a key pair and its certificates.
    func removeKeyPair(_ key: KeyLocator) async throws
}

/// Finds keys and certificates that are there already.
public protocol KeyFinding: Sendable {
    /// All private keys of which the public key can be told.
    func keyPairs() async throws -> [TokenKeyPair]
    func keyPair(_ locator: KeyLocator) async throws -> TokenKeyPair
    /// The certificates stored with the key's `CKA_ID`.
    func certificates(for key: KeyLocator) async throws -> [[UInt8]]
}

/// Tells what is left.
public protocol CapacityReporting: Sendable {
    func capacity() async throws -> TokenCapacity
}

/// Gives random bytes from the token's generator.
public protocol RandomGenerating: Sendable {
    func randomBytes(_ count: Int) async throws -> [UInt8]
}

/// A key that lives on the token for the time of one ``TransientKeyOperating/withTransientKeys(_:)`` scope.
public struct TransientKey: Hashable, Sendable {
    /// The provider's own number for the key, meaningless outside the scope.
    public let identifier: UInt

    public init(identifier: UInt) {
        self.identifier = identifier
    }
}

/// What a token can do with keys that live for one scope only: everything archival on the token needs.
/// Blocking; called on the token's own thread. Every method throws ``KeyProviderError``.
public protocol TransientKeyOperations {
    /// Unwraps a content-encryption key with a private key of the token. The result is sensitive and can unwrap.
    func unwrapSecretKey(
        _ wrappedKey: [UInt8], with key: KeyLocator, transport: KeyTransportAlgorithm, as algorithm: SecretKeyAlgorithm
    ) throws -> TransientKey

    /// Unwraps a PKCS #8 private key with a secret key of the scope. The result is sensitive, can decrypt (RSA) or agree
    /// on keys (elliptic curves), cannot sign, and can be wrapped again.
    ///
    /// - Parameter subjectPublicKeyInfo: DER, of the public key that the private key is said to have. It says which kind of
    ///   key is unwrapped, and proves nothing.
    func unwrapPrivateKey(
        _ wrappedKey: [UInt8], with key: TransientKey, algorithm: KeyWrapAlgorithm, of subjectPublicKeyInfo: [UInt8]
    ) throws -> TransientKey

    /// Agrees with somebody on an AES-256 key: the last 32 bytes of the X coordinate that an unwrapped private key on a
    /// curve and another key on the same curve give (NIST SP 800-56A, section 5.7.1.2). The result encrypts and decrypts.
    ///
    /// - Parameter point: the other public key, uncompressed.
    func deriveSecretKey(from key: TransientKey, with point: [UInt8]) throws -> TransientKey

    /// Makes a fresh secret key on the token. It can be wrapped, wraps and encrypts, and the reverse.
    func generateSecretKey(_ algorithm: SecretKeyAlgorithm) throws -> TransientKey

    /// Wraps a key of the scope under a secret key of the scope.
    func wrap(_ key: TransientKey, under wrappingKey: TransientKey, algorithm: KeyWrapAlgorithm) throws -> [UInt8]

    /// Wraps a private key that is on the token for good under a secret key of the scope. Only one that was made with
    /// that permission: ``KeyPairSpecification/mayBeCopied``.
    func wrap(_ key: KeyLocator, under wrappingKey: TransientKey, algorithm: KeyWrapAlgorithm) throws -> [UInt8]

    /// Wraps a secret key of the scope to somebody's public key (DER SubjectPublicKeyInfo, RSA).
    func wrap(_ key: TransientKey, to subjectPublicKeyInfo: [UInt8], transport: KeyTransportAlgorithm) throws -> [UInt8]

    /// Decrypts with an unwrapped private key: the pairing proof of RSA keys.
    func decrypt(_ ciphertext: [UInt8], with key: TransientKey, transport: KeyTransportAlgorithm) throws -> [UInt8]

    /// Encrypts and pads with a secret key of the scope.
    func encrypt(_ plaintext: SecretBytes, with key: TransientKey, cipher: ContentCipher) throws -> [UInt8]

    /// Decrypts with a secret key of the scope.
    func decrypt(_ ciphertext: [UInt8], with key: TransientKey, cipher: ContentCipher) throws -> SecretBytes

    /// Unwraps a secret key with a secret key of the scope.
    func unwrapSecretKey(
        _ wrappedKey: [UInt8], with key: TransientKey, algorithm: KeyWrapAlgorithm, as secret: SecretKeyAlgorithm
    ) throws -> TransientKey

    /// What the token says of a key of the scope.
    func attributes(of key: TransientKey) throws -> KeyAttributes

    /// The mechanisms used so far, by their names in the specification, in order: evidence for the archive record.
    var mechanismsUsed: [String] { get }
}

/// Opens a scope for transient keys.
public protocol TransientKeyOperating: Sendable {
    /// True when the profile says that private keys of this kind (DER SubjectPublicKeyInfo of one) can be unwrapped, proven
    /// and wrapped on the token (RFC 5649): RSA keys by decrypting, keys on P-256, P-384 and P-521 by agreeing on a key.
    func canRewrapPrivateKey(of subjectPublicKeyInfo: [UInt8]) -> Bool

    /// Runs `body` on the token's thread with one session. Every transient key is destroyed when it returns or throws.
    func withTransientKeys<R: Sendable>(
        _ body: @escaping @Sendable (any TransientKeyOperations) throws -> R
    ) async throws -> R
}

/// One token with all of its abilities. Code that needs one ability takes that protocol, not this one.
public protocol KeyToken: DigestSigning, KeyDecrypting, KeyGenerating, KeyFinding, CapacityReporting, RandomGenerating,
    TransientKeyOperating, HandleKeeping, UserKeyStoring, KeyCopying, ExtractionForbidding
{
    var identification: TokenIdentification { get }
    /// The name of the device profile in force.
    var profileName: String { get }
    /// The hashes that the device takes for OAEP, best first; empty when it has no OAEP.
    var oaepHashes: [HashAlgorithm] { get }
}
