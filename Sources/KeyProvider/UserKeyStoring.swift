public import SecretMemory

/// A key pair that was made elsewhere and is to be put on a token, with its certificate.
public struct UserKeyPair: Hashable, Sendable {
    /// DER SubjectPublicKeyInfo, RSA or on a NIST curve.
    public var subjectPublicKeyInfo: [UInt8]
    public var algorithm: KeyAlgorithm
    /// `CKA_LABEL` of key and certificate.
    public var label: String
    /// DER, of the same public key.
    public var certificateDER: [UInt8]

    public init(subjectPublicKeyInfo: [UInt8], algorithm: KeyAlgorithm, label: String, certificateDER: [UInt8]) {
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.algorithm = algorithm
        self.label = label
        self.certificateDER = certificateDER
    }
}

/// A PKCS #8 private key on its way from one token to another.
public struct WrappedKeyPair: Hashable, Sendable {
    /// An AES-256 key, encrypted to the RSA key of the receiving token.
    public var encryptedKey: [UInt8]
    public var transport: KeyTransportAlgorithm
    /// The private key under that AES key, by AES key wrap with padding (RFC 5649).
    public var wrappedPrivateKey: [UInt8]

    public init(encryptedKey: [UInt8], transport: KeyTransportAlgorithm, wrappedPrivateKey: [UInt8]) {
        self.encryptedKey = encryptedKey
        self.transport = transport
        self.wrappedPrivateKey = wrappedPrivateKey
    }
}

/// Puts key pairs that were made elsewhere on a token: keys of users, given back to them. Never for keys of a CA.
///
/// The room for key and certificate is checked first, the key is proven by an operation, and what a failure half-way
/// has left is removed. The private key can decrypt, or on a curve agree on keys, cannot sign, is sensitive and cannot be
/// taken off again.
public protocol UserKeyStoring: Sendable {
    /// Writes the numbers with `C_CreateObject`, which reads them where they are.
    ///
    /// - Parameter privateKey: DER PrivateKeyInfo: RSA with two primes, or on P-256, P-384 or P-521.
    /// - Throws: ``KeyProviderError``; with code ``KeyProviderError/Code/tokenFull`` and `0x80100028` when it does not fit;
    ///   `unsupported` for a key on a curve where the profile does not say that the device agrees on keys.
    func storeUserKey(_ pair: UserKeyPair, privateKey: SecretBytes) async throws -> TokenKeyPair

    /// Unwraps what another token has wrapped, so that the private key is plaintext nowhere. For tokens of which
    /// ``TransientKeyOperating/canRewrapPrivateKey(of:)`` is true.
    ///
    /// - Parameter wrap: wraps the private key to the public key (DER SubjectPublicKeyInfo, RSA) that this token made
    ///   for the purpose; it is removed again.
    func storeWrappedUserKey(
        _ pair: UserKeyPair, wrap: (_ receiver: [UInt8]) async throws -> WrappedKeyPair
    ) async throws -> TokenKeyPair
}
