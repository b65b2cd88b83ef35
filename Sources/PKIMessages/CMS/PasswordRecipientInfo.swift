package import SecretMemory
package import SwiftASN1

/// The content-encryption key, encrypted under a key made of a password (RFC 5652, section 6.2.4).
///
///     PasswordRecipientInfo ::= SEQUENCE {
///         version CMSVersion,  -- 0
///         keyDerivationAlgorithm [0] KeyDerivationAlgorithmIdentifier OPTIONAL,
///         keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier,
///         encryptedKey EncryptedKey }
///
/// It stands in a RecipientInfo as `[3] IMPLICIT`. The one form here: scrypt (RFC 7914), and AES-256 key wrap with
/// padding (RFC 5649), whose integrity check tells a wrong password.
package struct PasswordRecipientInfo: Hashable, Sendable {
    package let derivation: ScryptParameters
    package let encryptedKey: [UInt8]

    private static let keyBytes = 32

    /// Encrypts a content-encryption key.
    ///
    /// - Throws: ``PKIMessageError`` with `invalidValue` for an empty password.
    package init(wrapping key: SecretBytes, password: SecretBytes, derivation: ScryptParameters) throws {
        guard password.count > 0 else { throw PKIMessageError.invalidValue("password", "it is empty") }
        self.derivation = derivation
        self.encryptedKey = try SymmetricCipher.aesKeyWrapPadded(
            key, under: derivation.key(from: password, bytes: Self.keyBytes))
    }

    private init(derivation: ScryptParameters, encryptedKey: [UInt8]) {
        self.derivation = derivation
        self.encryptedKey = encryptedKey
    }

    /// The content-encryption key.
    ///
    /// - Throws: ``PKIMessageError`` with `wrongPassword` (0x80070056).
    package func key(password: SecretBytes) throws -> SecretBytes {
        let wrappingKey = try self.derivation.key(from: password, bytes: Self.keyBytes)
        do { return try SymmetricCipher.aesKeyUnwrapPadded(self.encryptedKey, under: wrappingKey) } catch let error
            as PKIMessageError where error.code == .decryptionFailed
        {
            throw PKIMessageError.wrongPassword("encrypted message")
        }
    }
}

extension PasswordRecipientInfo: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .contextSpecific(3) }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            guard try Int(derEncoded: &nodes) == 0 else {
                throw ASN1Error.invalidASN1Object(reason: "PasswordRecipientInfo has an unknown version")
            }
            let derivation = try AlgorithmIdentifier(
                derEncoded: StrictDER.next(&nodes, "keyDerivationAlgorithm"), withIdentifier: .contextSpecific(0))
            guard derivation.algorithm == OID.scrypt, let parameters = derivation.parametersDER else {
                throw PKIMessageError.unsupportedAlgorithm("key derivation of a recipient", "\(derivation.algorithm)")
            }
            let encryption = try AlgorithmIdentifier(derEncoded: &nodes)
            guard encryption == AlgorithmIdentifier(algorithm: OID.aes256WrapPad, parametersDER: nil) else {
                throw PKIMessageError.unsupportedAlgorithm(
                    "key encryption algorithm of a recipient", "\(encryption.algorithm)")
            }
            let encryptedKey = try ASN1OctetString(derEncoded: &nodes)
            return PasswordRecipientInfo(
                derivation: try StrictDER.parse(ScryptParameters.self, parameters, what: "scrypt parameters"),
                encryptedKey: Array(encryptedKey.bytes))
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        let derivation = AlgorithmIdentifier(
            algorithm: OID.scrypt, parametersDER: try StrictDER.serialize(self.derivation))
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(0)
            try derivation.serialize(into: &coder, withIdentifier: .contextSpecific(0))
            try coder.serialize(AlgorithmIdentifier(algorithm: OID.aes256WrapPad, parametersDER: nil))
            try coder.serialize(ASN1OctetString(contentBytes: self.encryptedKey[...]))
        }
    }
}

extension EnvelopedData {
    /// For certificates and passwords; version 3 with a password, else 0 or 2 (RFC 5652, section 6.1).
    package init(
        recipients: [KeyTransRecipientInfo], passwordRecipients: [PasswordRecipientInfo],
        contentEncryptionAlgorithm: ContentEncryptionAlgorithm, encryptedContent: [UInt8]
    ) throws {
        self.init(
            version: passwordRecipients.isEmpty ? (recipients.allSatisfy { $0.version == 0 } ? 0 : 2) : 3,
            recipientInfos: try recipients.map { .keyTransport($0) }
                + passwordRecipients.map { .other(try StrictDER.serialize($0)) },
            contentEncryptionAlgorithm: contentEncryptionAlgorithm, encryptedContent: encryptedContent)
    }

    /// The recipients that a password opens the message for, in their order; malformed ones are an error.
    ///
    /// - Throws: ``PKIMessageError`` with `malformed` or `unsupportedAlgorithm`.
    package func passwordRecipients() throws -> [PasswordRecipientInfo] {
        try self.recipientInfos.compactMap { recipient in
            // [3] IMPLICIT of a SEQUENCE: constructed, context-specific.
            guard case .other(let bytes) = recipient, bytes.first == 0xA3 else { return nil }
            return try StrictDER.parse(PasswordRecipientInfo.self, bytes, what: "CMS PasswordRecipientInfo")
        }
    }
}
