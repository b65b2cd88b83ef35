public import SecretMemory

/// A private key that existed outside of every token, and what it is to be on one.
public struct KeyPairImport: Sendable {
    /// Role and label; the algorithm must be that of the key.
    public var specification: KeyPairSpecification
    /// DER PrivateKeyInfo, version 0 (RFC 5958, section 2): RSA with two primes, or a key on a named curve.
    public var privateKey: SecretBytes
    /// DER SubjectPublicKeyInfo of the same key; RSA or an uncompressed point.
    public var subjectPublicKeyInfo: [UInt8]

    public init(specification: KeyPairSpecification, privateKey: SecretBytes, subjectPublicKeyInfo: [UInt8]) {
        self.specification = specification
        self.privateKey = privateKey
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
    }
}

/// Takes in the key of an old software certification authority, once. The only way by which a CA's private key from
/// outside comes onto a token; one that is imported as extractable can be wrapped again. Keys of users: ``UserKeyStoring``.
public protocol KeyImporting: Sendable {
    /// Checks the capacity, writes the key sensitive, and extractable only where ``KeyPairSpecification/mayBeCopied`` says so,
    /// reads it back and proves it in a new session. By unwrapping where the device has RFC 5649, so that the interface to
    /// the token sees no plaintext; by `C_CreateObject` elsewhere. A failure half-way removes what was written.
    ///
    /// - Returns: the pair; `CKA_LOCAL` tells that it was not made on the token.
    /// - Throws: ``KeyProviderError``: `tokenFull` (0x80100028), `unsupported`, `keyNotProven`.
    func importKeyPair(_ imported: KeyPairImport) async throws -> TokenKeyPair
}
