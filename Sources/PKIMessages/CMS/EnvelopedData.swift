package import SwiftASN1

/// A content encrypted to recipients (RFC 5652, section 6.1).
///
///     EnvelopedData ::= SEQUENCE {
///         version CMSVersion,
///         originatorInfo [0] IMPLICIT OriginatorInfo OPTIONAL,
///         recipientInfos SET SIZE (1..MAX) OF RecipientInfo,
///         encryptedContentInfo SEQUENCE {
///             contentType ContentType,
///             contentEncryptionAlgorithm ContentEncryptionAlgorithmIdentifier,
///             encryptedContent [0] IMPLICIT OCTET STRING OPTIONAL },
///         unprotectedAttrs [1] IMPLICIT UnprotectedAttributes OPTIONAL }
///
/// The encrypted content has to be there, in one piece.
package struct EnvelopedData: Hashable, Sendable {
    package let version: Int
    package let recipientInfos: [RecipientInfo]
    package let encryptedContentType: ASN1ObjectIdentifier
    package let contentEncryptionAlgorithm: ContentEncryptionAlgorithm
    package let encryptedContent: [UInt8]
    /// Kept, not used.
    private let originatorInfoDER: [UInt8]?
    private let unprotectedAttributesDER: [UInt8]?

    /// The recipients that an RSA key can open the message for.
    package var recipients: [KeyTransRecipientInfo] {
        self.recipientInfos.compactMap { if case .keyTransport(let recipient) = $0 { recipient } else { nil } }
    }

    /// Version 0 when every recipient is named by issuer and serial number, else 2 (RFC 5652, section 6.1).
    package init(
        recipients: [KeyTransRecipientInfo], contentEncryptionAlgorithm: ContentEncryptionAlgorithm,
        encryptedContentType: ASN1ObjectIdentifier = OID.data, encryptedContent: [UInt8]
    ) {
        self.init(
            version: recipients.allSatisfy { $0.version == 0 } ? 0 : 2,
            recipientInfos: recipients.map { .keyTransport($0) },
            contentEncryptionAlgorithm: contentEncryptionAlgorithm, encryptedContentType: encryptedContentType,
            encryptedContent: encryptedContent)
    }

    /// For recipients of a kind that an object identifier names; version 3 (RFC 5652, section 6.1).
    package init(
        otherRecipients: [OtherRecipientInfo], contentEncryptionAlgorithm: ContentEncryptionAlgorithm,
        encryptedContentType: ASN1ObjectIdentifier = OID.data, encryptedContent: [UInt8]
    ) throws {
        self.init(
            version: 3, recipientInfos: try otherRecipients.map { .other(try StrictDER.serialize($0)) },
            contentEncryptionAlgorithm: contentEncryptionAlgorithm, encryptedContentType: encryptedContentType,
            encryptedContent: encryptedContent)
    }

    init(
        version: Int, recipientInfos: [RecipientInfo], contentEncryptionAlgorithm: ContentEncryptionAlgorithm,
        encryptedContentType: ASN1ObjectIdentifier = OID.data, encryptedContent: [UInt8]
    ) {
        self.version = version
        self.recipientInfos = recipientInfos
        self.encryptedContentType = encryptedContentType
        self.contentEncryptionAlgorithm = contentEncryptionAlgorithm
        self.encryptedContent = encryptedContent
        self.originatorInfoDER = nil
        self.unprotectedAttributesDER = nil
    }

    /// - Throws: ``PKIMessageError``; `wrongContentType` (0x80091004) when the content is not an EnvelopedData.
    package init(_ contentInfo: ContentInfo) throws {
        try contentInfo.requireContentType(OID.envelopedData, "EnvelopedData")
        self = try StrictDER.parse(EnvelopedData.self, contentInfo.contentDER, what: "CMS EnvelopedData")
    }

    /// Reads a ContentInfo that holds an EnvelopedData.
    package init(contentInfoDER bytes: [UInt8]) throws {
        try self.init(ContentInfo(derEncoded: bytes))
    }

    /// The message as it is sent or stored: a ContentInfo around this EnvelopedData.
    package func contentInfoDER() throws -> [UInt8] {
        try ContentInfo(contentType: OID.envelopedData, contentDER: StrictDER.serialize(self)).derBytes
    }

    /// The recipient that names one of these certificates, and that certificate.
    ///
    /// - Throws: ``PKIMessageError`` with `recipientNotFound` (0x8009100B) when no recipient does.
    package func recipient(
        namingOneOf certificates: [CertificateFields]
    ) throws -> (recipient: KeyTransRecipientInfo, certificate: CertificateFields) {
        for recipient in self.recipients {
            if let certificate = certificates.first(where: { recipient.rid.names($0) }) {
                return (recipient, certificate)
            }
        }
        throw PKIMessageError.recipientNotFound("CMS EnvelopedData", recipients: self.recipientInfos.count)
    }
}

extension EnvelopedData: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let version = try Int(derEncoded: &nodes)
            guard [0, 2, 3, 4].contains(version) else {
                throw ASN1Error.invalidASN1Object(reason: "EnvelopedData has the unknown version \(version)")
            }
            let originatorInfo = Self.raw(&nodes, tagNumber: 0)
            let recipientInfos = try DER.elements(of: RecipientInfo.self, in: &nodes, identifier: .set)
            guard !recipientInfos.isEmpty else {
                throw ASN1Error.invalidASN1Object(reason: "EnvelopedData has no recipients")
            }
            let content = try EncryptedContentInfo(derEncoded: &nodes)
            let unprotectedAttributes = Self.raw(&nodes, tagNumber: 1)
            return EnvelopedData(
                version: version, recipientInfos: recipientInfos, content: content,
                originatorInfoDER: originatorInfo, unprotectedAttributesDER: unprotectedAttributes)
        }
    }

    private init(
        version: Int, recipientInfos: [RecipientInfo], content: EncryptedContentInfo, originatorInfoDER: [UInt8]?,
        unprotectedAttributesDER: [UInt8]?
    ) {
        self.version = version
        self.recipientInfos = recipientInfos
        self.encryptedContentType = content.contentType
        self.contentEncryptionAlgorithm = content.algorithm
        self.encryptedContent = content.encryptedContent
        self.originatorInfoDER = originatorInfoDER
        self.unprotectedAttributesDER = unprotectedAttributesDER
    }

    private static func raw(_ nodes: inout ASN1NodeCollection.Iterator, tagNumber: UInt) -> [UInt8]? {
        DER.optionalImplicitlyTagged(&nodes, tagNumber: tagNumber, tagClass: .contextSpecific) {
            StrictDER.raw($0)
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.version)
            coder.serializeRawBytes(self.originatorInfoDER ?? [])
            try coder.serializeSequenceOf(self.recipientInfos, identifier: .set)
            try coder.serialize(
                EncryptedContentInfo(
                    contentType: self.encryptedContentType, algorithm: self.contentEncryptionAlgorithm,
                    encryptedContent: self.encryptedContent))
            coder.serializeRawBytes(self.unprotectedAttributesDER ?? [])
        }
    }
}

/// The encrypted part of an EnvelopedData.
private struct EncryptedContentInfo: DERParseable, DERSerializable {
    let contentType: ASN1ObjectIdentifier
    let algorithm: ContentEncryptionAlgorithm
    let encryptedContent: [UInt8]

    init(contentType: ASN1ObjectIdentifier, algorithm: ContentEncryptionAlgorithm, encryptedContent: [UInt8]) {
        self.contentType = contentType
        self.algorithm = algorithm
        self.encryptedContent = encryptedContent
    }

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let contentType = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let algorithm = try ContentEncryptionAlgorithm(derEncoded: &nodes)
            guard let content = nodes.next() else {
                throw ASN1Error.invalidASN1Object(reason: "EnvelopedData has no encrypted content")
            }
            let octets = try ASN1OctetString(derEncoded: content, withIdentifier: .contextSpecific(0))
            return EncryptedContentInfo(
                contentType: contentType, algorithm: algorithm, encryptedContent: Array(octets.bytes))
        }
    }

    func serialize(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(self.contentType)
            try coder.serialize(self.algorithm)
            try ASN1OctetString(contentBytes: self.encryptedContent[...]).serialize(
                into: &coder, withIdentifier: .contextSpecific(0))
        }
    }
}
