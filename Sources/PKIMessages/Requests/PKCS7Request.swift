package import SwiftASN1

/// A PKCS #10 inside a CMS SignedData over id-data: how Windows clients renew a certificate with the old key, and how an
/// enrolment agent asks for somebody else (MS-WCCE, sections 2.2.2.6.1 and 3.1.1.4.3.2; protocols.md 1.7).
///
/// Windows writes SignedData version 1 without signed attributes; both forms are read. What is signed is not verified by
/// reading it.
package struct PKCS7Request: Sendable {
    /// The message exactly as received.
    package let contentInfo: ContentInfo
    package let signedData: SignedData
    package let certificationRequest: CertificationRequest

    static let what = "PKCS #7 request"

    /// - Throws: ``PKIMessageError``: `wrongContentType` (0x80091004) when it is not a SignedData over id-data, `noSigner`
    ///   (0x8009200E), `malformed` (0x8007000D) when there is no PKCS #10 in it.
    package init(derEncoded bytes: [UInt8]) throws {
        let contentInfo = try ContentInfo(derEncoded: bytes)
        let signedData = try SignedData(contentInfo)
        guard signedData.eContentType == OID.data else {
            throw PKIMessageError.wrongContentType(
                Self.what, expected: "\(OID.data)", found: "\(signedData.eContentType)")
        }
        guard let content = signedData.eContent, signedData.encapContentInfo.isOctetString else {
            throw PKIMessageError.malformed(Self.what, "it has no PKCS #10 in an OCTET STRING")
        }
        guard !signedData.signerInfos.isEmpty else { throw PKIMessageError.noSigner(Self.what) }
        self.contentInfo = contentInfo
        self.signedData = signedData
        self.certificationRequest = try CertificationRequest(derEncoded: content)
    }
}

/// A CMC message that holds no request of its own but one signed request of somebody else: what an enrolment agent or a
/// registration authority sends (RFC 5272, section 3.2.1.3.4).
///
///     TaggedContentInfo ::= SEQUENCE { bodyPartID BodyPartID, contentInfo ContentInfo }
package struct NestingPKIRequest: Sendable {
    package let contentInfo: ContentInfo
    package let signedData: SignedData
    package let pkiData: PKIData
    /// The number by which the response refers to the request.
    package let bodyPartID: UInt32
    /// DER ContentInfo of the nested request.
    package let nestedDER: [UInt8]
    package let regInfo: [RegInfo.Pair]

    /// - Returns: `nil` for a CMC message that is not of this kind.
    package init?(derEncoded bytes: [UInt8]) throws {
        let contentInfo = try ContentInfo(derEncoded: bytes)
        let signedData = try SignedData(contentInfo)
        guard signedData.eContentType == OID.pkiData, let content = signedData.eContent,
            signedData.encapContentInfo.isOctetString
        else { return nil }
        let pkiData = try StrictDER.parse(PKIData.self, content, what: "CMC PKIData")
        guard pkiData.requests.isEmpty, !pkiData.cmsSequence.isEmpty else { return nil }
        let what = FullPKIRequest.what
        guard pkiData.cmsSequence.count == 1, pkiData.otherMessages.isEmpty else {
            throw PKIMessageError.malformed(what, "it holds more than one nested message")
        }
        guard !signedData.signerInfos.isEmpty else { throw PKIMessageError.noSigner(what) }
        guard !signedData.signerInfos.contains(where: \.carriesEncryptedKey) else {
            throw PKIMessageError.badArchivalAttribute(what, "the request that it belongs to is nested")
        }
        let nested = try StrictDER.parse(TaggedContentInfo.self, pkiData.cmsSequence[0], what: "nested CMS message")
        self.contentInfo = contentInfo
        self.signedData = signedData
        self.pkiData = pkiData
        self.bodyPartID = nested.bodyPartID
        self.nestedDER = nested.contentInfoDER
        self.regInfo = try pkiData.regInfo()
    }
}

/// See ``NestingPKIRequest``.
package struct TaggedContentInfo: DERParseable, DERSerializable, Sendable {
    package let bodyPartID: UInt32
    package let contentInfoDER: [UInt8]

    package init(bodyPartID: UInt32, contentInfoDER: [UInt8]) {
        self.bodyPartID = bodyPartID
        self.contentInfoDER = contentInfoDER
    }

    package init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let bodyPartID = try UInt32(derEncoded: &nodes)
            return TaggedContentInfo(
                bodyPartID: bodyPartID, contentInfoDER: StrictDER.raw(try StrictDER.next(&nodes, "contentInfo")))
        }
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(self.bodyPartID)
            coder.serializeRawBytes(self.contentInfoDER)
        }
    }
}

extension SignerInfo {
    /// True when an encrypted private key stands in one of its attributes.
    var carriesEncryptedKey: Bool {
        (self.unsignedAttributes + (self.signedAttributes ?? [])).contains { $0.type == OID.msEncryptedKey }
    }
}

extension CertificationRequest {
    /// True when an encrypted private key stands in one of its attributes.
    var carriesEncryptedKey: Bool { self.attributes.contains { $0.type == OID.msEncryptedKey } }
}
