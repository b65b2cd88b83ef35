/// A key pair of another token, of which this one is to have a copy.
public struct KeyPairCopy: Hashable, Sendable {
    public var specification: KeyPairSpecification
    /// DER SubjectPublicKeyInfo.
    public var subjectPublicKeyInfo: [UInt8]

    public init(specification: KeyPairSpecification, subjectPublicKeyInfo: [UInt8]) {
        self.specification = specification
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
    }
}

/// Takes a copy of another token's key pair, for a backup. What goes between them is ciphertext only.
public protocol KeyCopying: Sendable {
    /// Checks the room, unwraps the private key, reads the pair back and proves it in a new session. A failure half-way
    /// removes what was written. For tokens of which ``TransientKeyOperating/canRewrapPrivateKey(of:)`` is true.
    ///
    /// - Parameter wrap: wraps the private key to the public key (DER SubjectPublicKeyInfo, RSA) that this token made
    ///   for the purpose; it is removed again.
    /// - Throws: ``KeyProviderError``: `tokenFull` (0x80100028), `unsupported`, `keyNotProven`; what `wrap` throws.
    func storeCopy(
        _ copy: KeyPairCopy, wrap: (_ receiver: [UInt8]) async throws -> WrappedKeyPair
    ) async throws -> TokenKeyPair

    /// Removes the key pairs that were to receive keys of this label and that a process left that was killed: they are of no
    /// use after their call.
    func removeReceivers(of label: String) async throws
}

extension TransientKeyOperating {
    /// Wraps a private key of the token to another token's RSA key: an AES-256 key that the token makes, and the private key
    /// under it by AES key wrap with padding (RFC 5649).
    ///
    /// - Parameter receiver: DER SubjectPublicKeyInfo.
    public func wrappedCopy(
        of key: KeyLocator, to receiver: [UInt8], transport: KeyTransportAlgorithm
    ) async throws -> WrappedKeyPair {
        try await self.withTransientKeys { operations in
            let fresh = try operations.generateSecretKey(.aes256)
            return WrappedKeyPair(
                encryptedKey: try operations.wrap(fresh, to: receiver, transport: transport), transport: transport,
                wrappedPrivateKey: try operations.wrap(key, under: fresh, algorithm: .aesKeyWrapPadded))
        }
    }
}
