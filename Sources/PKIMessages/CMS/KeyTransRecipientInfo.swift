package import SwiftASN1

/// The content-encryption key, encrypted to one recipient's RSA key (RFC 5652, section 6.2.1).
///
///     KeyTransRecipientInfo ::= SEQUENCE {
///         version CMSVersion,  -- 0 with issuerAndSerialNumber, 2 with subjectKeyIdentifier
///         rid RecipientIdentifier,
///         keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier,
///         encryptedKey EncryptedKey }
package struct KeyTransRecipientInfo: Hashable, Sendable {
    package let rid: SignerIdentifier
    package let keyEncryptionAlgorithm: AlgorithmIdentifier
    package let encryptedKey: [UInt8]

    /// 0 or 2, by the form of ``rid``.
    package var version: Int {
        switch self.rid {
        case .issuerAndSerialNumber: 0
        case .subjectKeyIdentifier: 2
        }
    }

    /// The padding of ``encryptedKey``.
    ///
    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` when it is none that is known here.
    package var keyEncryption: TransportPadding {
        get throws { try TransportPadding(keyEncryptionAlgorithm: self.keyEncryptionAlgorithm) }
    }

    package init(rid: SignerIdentifier, keyEncryption: TransportPadding, encryptedKey: [UInt8]) throws {
        self.rid = rid
        self.keyEncryptionAlgorithm = try keyEncryption.keyEncryptionAlgorithm
        self.encryptedKey = encryptedKey
    }

    private init(rid: SignerIdentifier, keyEncryptionAlgorithm: AlgorithmIdentifier, encryptedKey: [UInt8]) {
        self.rid = rid
        self.keyEncryptionAlgorithm = keyEncryptionAlgorithm
        self.encryptedKey = encryptedKey
    }
}

extension KeyTransRecipientInfo: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let version = try Int(derEncoded: &nodes)
            let rid = try SignerIdentifier(derEncoded: &nodes)
            let algorithm = try AlgorithmIdentifier(derEncoded: &nodes)
            let encryptedKey = try ASN1OctetString(derEncoded: &nodes)
            let recipient = KeyTransRecipientInfo(
                rid: rid, keyEncryptionAlgorithm: algorithm, encryptedKey: Array(encryptedKey.bytes))
            guard version == recipient.version else {
                throw ASN1Error.invalidASN1Object(
                    reason: "KeyTransRecipientInfo version \(version) does not fit its recipient name")
            }
            return recipient
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.version)
            try coder.serialize(self.rid)
            try coder.serialize(self.keyEncryptionAlgorithm)
            try coder.serialize(ASN1OctetString(contentBytes: self.encryptedKey[...]))
        }
    }
}

/// One recipient of an EnvelopedData (RFC 5652, section 6.2). Kinds other than key transport are kept and not used.
package enum RecipientInfo: Hashable, Sendable {
    case keyTransport(KeyTransRecipientInfo)
    /// The DER of a recipient of another kind: key agreement, KEK, password, other.
    case other([UInt8])
}

extension RecipientInfo: DERParseable, DERSerializable {
    package init(derEncoded node: ASN1Node) throws {
        switch node.identifier {
        case .sequence:
            self = .keyTransport(try KeyTransRecipientInfo(derEncoded: node))
        case .contextSpecific(1), .contextSpecific(2), .contextSpecific(3), .contextSpecific(4):
            self = .other(StrictDER.raw(node))
        default:
            throw ASN1Error.unexpectedFieldType(node.identifier)
        }
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        switch self {
        case .keyTransport(let recipient): try coder.serialize(recipient)
        case .other(let bytes): coder.serializeRawBytes(bytes)
        }
    }
}
