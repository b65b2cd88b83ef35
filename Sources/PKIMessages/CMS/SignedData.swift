package import SwiftASN1

/// A content with signatures and the certificates that go with them (RFC 5652, section 5.1).
///
///     SignedData ::= SEQUENCE {
///         version CMSVersion,
///         digestAlgorithms SET OF DigestAlgorithmIdentifier,
///         encapContentInfo EncapsulatedContentInfo,
///         certificates [0] IMPLICIT CertificateSet OPTIONAL,
///         crls [1] IMPLICIT RevocationInfoChoices OPTIONAL,
///         signerInfos SET OF SignerInfo }
///
/// Certificates and CRLs keep the order in which they are given: Microsoft's responses are not sorted, and clients
/// rely on the order. Only X.509 certificates and CRLs are taken, none of the other choices.
package struct SignedData: Hashable, Sendable {
    package let version: Int
    package let digestAlgorithms: [AlgorithmIdentifier]
    package let encapContentInfo: EncapsulatedContentInfo
    /// DER, in the order in which they are encoded.
    package let certificates: [[UInt8]]
    package let crls: [[UInt8]]
    package let signerInfos: [SignerInfo]
    /// An absent set and an empty one are two encodings.
    private let presentSets: PresentSets

    private struct PresentSets: Hashable, Sendable {
        var certificates: Bool
        var crls: Bool
    }

    package var eContentType: ASN1ObjectIdentifier { self.encapContentInfo.eContentType }
    /// The content octets, `nil` when the content is detached.
    package var eContent: [UInt8]? { self.encapContentInfo.eContent }

    package init(
        version: Int, digestAlgorithms: [AlgorithmIdentifier], encapContentInfo: EncapsulatedContentInfo,
        certificates: [[UInt8]], crls: [[UInt8]] = [], signerInfos: [SignerInfo]
    ) {
        self.version = version
        self.digestAlgorithms = digestAlgorithms
        self.encapContentInfo = encapContentInfo
        self.certificates = certificates
        self.crls = crls
        self.signerInfos = signerInfos
        self.presentSets = PresentSets(certificates: !certificates.isEmpty, crls: !crls.isEmpty)
    }

    /// - Throws: ``PKIMessageError``; `wrongContentType` (0x80091004) when the content is not a SignedData.
    package init(_ contentInfo: ContentInfo) throws {
        try contentInfo.requireContentType(OID.signedData, "SignedData")
        self = try StrictDER.parse(SignedData.self, contentInfo.contentDER, what: "CMS SignedData")
    }

    /// Reads a ContentInfo that holds a SignedData.
    package init(contentInfoDER bytes: [UInt8]) throws {
        try self.init(ContentInfo(derEncoded: bytes))
    }

    /// The message as it is sent: a ContentInfo around this SignedData.
    package func contentInfoDER() throws -> [UInt8] {
        try ContentInfo(contentType: OID.signedData, contentDER: StrictDER.serialize(self)).derBytes
    }

    /// Certificates only, without content and signature (RFC 5652, section 5.1): the body of a `.p7b`.
    ///
    /// - Parameter certificates: DER; written in the order given.
    /// - Returns: the DER ContentInfo.
    package static func degenerate(certificates: [[UInt8]]) throws -> [UInt8] {
        try SignedData(
            version: 1, digestAlgorithms: [],
            encapContentInfo: EncapsulatedContentInfo(eContentType: OID.data, eContent: nil),
            certificates: certificates, signerInfos: []
        ).contentInfoDER()
    }

    /// Checks one signature, see ``SignerInfo/verify(content:contentType:key:acceptsSHA1:)``.
    ///
    /// - Throws: ``PKIMessageError``; `noSigner` (0x8009200E) when there is no such SignerInfo.
    package func verifySignature(at index: Int = 0, key: SubjectPublicKeyInfo, acceptsSHA1: Bool = false) throws {
        guard self.signerInfos.indices.contains(index) else { throw PKIMessageError.noSigner("CMS SignedData") }
        guard let content = self.eContent else {
            throw PKIMessageError.malformed("CMS SignedData", "it has no content to verify the signature over")
        }
        try self.signerInfos[index].verify(
            content: content, contentType: self.eContentType, key: key, acceptsSHA1: acceptsSHA1)
    }

    /// The same message with other SignerInfos.
    func replacingSignerInfos(_ signerInfos: [SignerInfo]) -> SignedData {
        SignedData(
            version: self.version, digestAlgorithms: self.digestAlgorithms, encapContentInfo: self.encapContentInfo,
            certificates: self.certificates, crls: self.crls, signerInfos: signerInfos, presentSets: self.presentSets)
    }

    private init(
        version: Int, digestAlgorithms: [AlgorithmIdentifier], encapContentInfo: EncapsulatedContentInfo,
        certificates: [[UInt8]], crls: [[UInt8]], signerInfos: [SignerInfo], presentSets: PresentSets
    ) {
        self.version = version
        self.digestAlgorithms = digestAlgorithms
        self.encapContentInfo = encapContentInfo
        self.certificates = certificates
        self.crls = crls
        self.signerInfos = signerInfos
        self.presentSets = presentSets
    }
}

extension SignedData: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let version = try Int(derEncoded: &nodes)
            guard [1, 3, 4, 5].contains(version) else {
                throw ASN1Error.invalidASN1Object(reason: "SignedData has the unknown version \(version)")
            }
            let digestAlgorithms = try DER.elements(of: AlgorithmIdentifier.self, in: &nodes, identifier: .set)
            let content = try EncapsulatedContentInfo(derEncoded: &nodes)
            let certificates = try Self.sequences(&nodes, tagNumber: 0)
            let crls = try Self.sequences(&nodes, tagNumber: 1)
            let signerInfos = try DER.elements(of: SignerInfo.self, in: &nodes, identifier: .set)
            return SignedData(
                version: version, digestAlgorithms: digestAlgorithms, encapContentInfo: content,
                certificates: certificates ?? [], crls: crls ?? [], signerInfos: signerInfos,
                presentSets: PresentSets(certificates: certificates != nil, crls: crls != nil))
        }
    }

    /// An implicitly tagged set of certificates or CRLs, each of them a SEQUENCE.
    private static func sequences(_ nodes: inout ASN1NodeCollection.Iterator, tagNumber: UInt) throws -> [[UInt8]]? {
        try DER.optionalImplicitlyTagged(&nodes, tagNumber: tagNumber, tagClass: .contextSpecific) { node in
            guard case .constructed(let elements) = node.content else {
                throw ASN1Error.unexpectedFieldType(node.identifier)
            }
            return try elements.map { element in
                guard element.identifier == .sequence, case .constructed = element.content else {
                    throw ASN1Error.unexpectedFieldType(element.identifier)
                }
                return Array(element.encodedBytes)
            }
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.version)
            try coder.serializeSequenceOf(self.digestAlgorithms, identifier: .set)
            try coder.serialize(self.encapContentInfo)
            if self.presentSets.certificates {
                try coder.serializeSequenceOf(
                    self.certificates.map(RawDER.init), identifier: .contextSpecific(0))
            }
            if self.presentSets.crls {
                try coder.serializeSequenceOf(self.crls.map(RawDER.init), identifier: .contextSpecific(1))
            }
            try coder.serializeSequenceOf(self.signerInfos, identifier: .set)
        }
    }
}
