import SwiftASN1
import X509

@testable import PKIMessages

/// Makes PKCS #10 and CMC requests for the shared user key, right ones and wrong ones.
struct TestRequest {
    let user: TestIdentity
    /// The encrypted key: an EnvelopedData of unknown content, since nobody opens it here.
    let encryptedKey: [UInt8]

    init() throws {
        self.user = try TestIdentities.user.get()
        self.encryptedKey = try EnvelopedData(
            recipients: [
                KeyTransRecipientInfo(
                    rid: .issuerAndSerialNumber(user.name), keyEncryption: .pkcs1v15,
                    encryptedKey: [UInt8](repeating: 1, count: 128))
            ],
            contentEncryptionAlgorithm: .desEDE3CBC([UInt8](repeating: 2, count: 8)),
            encryptedContent: [UInt8](repeating: 3, count: 600)
        ).contentInfoDER()
    }

    func pkcs10(attributes: [PKCSAttribute] = [], digest: Digest = .sha256) throws -> CertificationRequest {
        let info = try CertificationRequest.infoBytes(
            subject: DistinguishedNameText.parse("CN=User"), subjectPublicKeyInfo: self.user.publicKey,
            attributes: attributes)
        return try CertificationRequest(
            derEncoded: SignedObject.assemble(
                tbs: info, algorithm: .rsa(digest), signature: self.user.sign(info, digest)))
    }

    /// What our requester sends.
    func message(withKey: Bool = true, templateName: String? = "User") throws -> [UInt8] {
        let draft = try FullPKIRequest.Draft(
            certificationRequest: self.pkcs10(), encryptedKey: withKey ? self.encryptedKey : nil,
            templateName: templateName, signatureAlgorithm: .sha256WithRSA)
        return try draft.assemble(signatures: draft.bytesToSign.map { try self.user.sign($0) })
    }

    static func octets(_ type: ASN1ObjectIdentifier, _ bytes: [UInt8]) throws -> CMSAttribute {
        try CMSAttribute(type: type, value: ASN1OctetString(contentBytes: bytes[...]))
    }

    /// A control that adds attributes to request 1.
    static func adding(_ attributes: [CMSAttribute], bodyPartID: UInt32 = 2) throws -> TaggedAttribute {
        try TaggedAttribute(
            bodyPartID: bodyPartID, type: OID.cmcAddAttributes,
            value: AddAttributes(certReferences: [1], attributes: attributes))
    }

    /// A message of any content, signed rightly.
    func message(
        pkiData: PKIData, eContentType: ASN1ObjectIdentifier = OID.pkiData, digest: Digest = .sha256,
        signedAttributes: [CMSAttribute] = [], unsignedAttributes: [CMSAttribute]
    ) throws -> [UInt8] {
        let draft = try SignedDataDraft(
            eContentType: eContentType, eContent: StrictDER.serialize(pkiData),
            signer: .subjectKeyIdentifier(self.user.publicKey.keyIdentifier), signatureAlgorithm: .rsa(digest),
            signedAttributes: signedAttributes)
        return try draft.assemble(
            signature: self.user.sign(draft.bytesToSign, digest), unsignedAttributes: unsignedAttributes)
    }

    /// The unsigned attribute 21.13.
    var keyAttribute: CMSAttribute { CMSAttribute(type: OID.msEncryptedKey, values: [self.encryptedKey]) }
}
