package import SecretMemory

/// How an RSA key transports a content-encryption key (RFC 8017, section 7).
package enum TransportPadding: Hashable, Sendable {
    /// RSAES-PKCS1-v1_5.
    case pkcs1v15
    /// RSAES-OAEP with MGF1 of the same hash and an empty label.
    case oaep(Digest)
}

/// RSA encryption to a public key: what a requester does to the exchange key, and the pairing proof.
package enum KeyTransport {
    /// - Throws: ``PKIMessageError`` with `signatureOnlyKey` for a key that is not RSA, `libcryptoFailed` when the
    ///   plaintext is too long for the modulus.
    package static func encrypt(
        _ plaintext: [UInt8], to recipient: SubjectPublicKeyInfo, transport: TransportPadding
    ) throws -> [UInt8] {
        try plaintext.withUnsafeBytes { try self.encrypt($0, to: recipient, transport: transport) }
    }

    package static func encrypt(
        _ plaintext: SecretBytes, to recipient: SubjectPublicKeyInfo, transport: TransportPadding
    ) throws -> [UInt8] {
        try plaintext.withUnsafeBytes { try self.encrypt($0, to: recipient, transport: transport) }
    }

    private static func encrypt(
        _ plaintext: UnsafeRawBufferPointer, to recipient: SubjectPublicKeyInfo, transport: TransportPadding
    ) throws -> [UInt8] {
        guard recipient.isRSA else { throw PKIMessageError.signatureOnlyKey("key transport") }
        return try LibCrypto.PublicKey(recipient).encrypt(plaintext, transport: transport)
    }
}
