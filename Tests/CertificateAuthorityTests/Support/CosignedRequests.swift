import CertificateAuthority
import Foundation
import PKIMessages
import SecretMemory
import SwiftASN1
import X509

/// A requester with a certificate, who can sign requests: their own renewals or other people's.
struct Signatory: Sendable {
    let requester: Requester
    let certificate: CertificateFields

    func cosigner(signedAttributes: [CMSAttribute]? = []) -> CosignedDataDraft.Signer {
        .init(
            .issuerAndSerialNumber(IssuerAndSerialNumber(self.certificate)), algorithm: self.requester.algorithm,
            signedAttributes: signedAttributes)
    }
}

extension Requester {
    var algorithm: SignatureAlgorithmIdentifier {
        self.subjectPublicKeyInfo.defaultSignatureAlgorithm ?? .ecdsaWithSHA256
    }

    func sign(_ bytes: [UInt8]) throws -> [UInt8] {
        try SoftwareKeys.sign(bytes, with: self.privateKey, digest: self.algorithm.digest ?? .sha256)
    }

    var cosigner: CosignedDataDraft.Signer {
        .init(.subjectKeyIdentifier(self.subjectPublicKeyInfo.keyIdentifier), algorithm: self.algorithm)
    }

    /// Attribute 13.1.
    static func renewing(_ certificate: CertificateFields) -> PKCSAttribute {
        PKCSAttribute(type: OID.msRenewalCertificate, values: [certificate.derBytes])
    }

    /// A PKCS #7 around a PKCS #10.
    static func pkcs7(
        around request: [UInt8], by signatory: Signatory, signedAttributes: [CMSAttribute]? = nil
    ) throws -> [UInt8] {
        let draft = try CosignedDataDraft(
            eContentType: OID.data, eContent: request,
            signers: [signatory.cosigner(signedAttributes: signedAttributes)],
            certificates: [signatory.certificate.derBytes])
        return try draft.assemble(signatures: [signatory.requester.sign(draft.bytesToSign[0])])
    }

    /// A CMC full request with further signers.
    func fullRequest(
        around request: [UInt8], regInfo: [RegInfo.Pair] = [], cosigners: [Signatory]
    ) throws -> [UInt8] {
        let pkiData = try PKIData(asking: CertificationRequest(derEncoded: request), regInfo: regInfo)
        let draft = try CosignedDataDraft(
            eContentType: OID.pkiData, eContent: StrictDER.serialize(pkiData),
            signers: [self.cosigner] + cosigners.map { $0.cosigner() },
            certificates: cosigners.map(\.certificate.derBytes))
        let keys = [self] + cosigners.map(\.requester)
        return try draft.assemble(
            signatures: zip(keys, draft.bytesToSign).map { try $0.sign($1) })
    }

    /// An agent's CMC message around somebody's signed request.
    static func nesting(
        _ message: [UInt8], regInfo: [RegInfo.Pair], by agent: Signatory
    ) throws -> [UInt8] {
        let draft = try CosignedDataDraft(
            eContentType: OID.pkiData, eContent: StrictDER.serialize(PKIData(nesting: message, regInfo: regInfo)),
            signers: [agent.cosigner()], certificates: [agent.certificate.derBytes])
        return try draft.assemble(signatures: [agent.requester.sign(draft.bytesToSign[0])])
    }

    /// A CMC full request that the requester has not signed (RFC 5272, section C.1).
    func unsignedFullRequest(around request: [UInt8]) throws -> [UInt8] {
        let signed = try SignedData(contentInfoDER: self.fullRequest(around: request, cosigners: []))
        guard let signer = signed.signerInfos.first, let attributes = signer.signedAttributesDER else { return [] }
        // The SignerInfo's own encoding, with the mechanism's identifier and the digest for a signature.
        let value = Digest.sha256.hash(attributes)
        var tagged = attributes
        tagged[0] = 0xA0
        let signerInfo = try StrictDER.serialize { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(3)
                try coder.serialize(signer.sid)
                try coder.serialize(signer.digestAlgorithm)
                coder.serializeRawBytes(tagged)
                try coder.appendConstructedNode(identifier: .sequence) { try $0.serialize(OID.noSignature) }
                try coder.serialize(ASN1OctetString(contentBytes: value[...]))
            }
        }
        return try StrictDER.serialize { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(OID.signedData)
                try coder.serialize(explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific) { coder in
                    try coder.appendConstructedNode(identifier: .sequence) { coder in
                        try coder.serialize(3)
                        try coder.serializeSetOf(signed.digestAlgorithms)
                        try coder.serialize(signed.encapContentInfo)
                        coder.appendConstructedNode(identifier: .set) { $0.serializeRawBytes(signerInfo) }
                    }
                }
            }
        }
    }
}

extension CAFixture {
    /// Issues a certificate for a key, by a template.
    func enroll(
        _ requester: Requester, template: String = "WebServer", subject: String = "CN=www.example.test",
        by caller: Principal = CAFixture.alice
    ) async throws -> Signatory {
        let result = try await self.submit(
            requester.certificationRequest(subject: subject, template: template), by: caller)
        return Signatory(
            requester: requester, certificate: try CertificateFields(derEncoded: result.certificateDER ?? []))
    }

    /// A template whose holders are enrolment agents.
    static let enrollmentAgent = CertificateTemplate(
        name: "EnrollmentAgent", displayName: "Enrollment Agent", oid: "1.3.6.1.4.1.311.21.8.1.1.1.1.1.1.1.9",
        validity: .years(1), subject: .fromRequester, keyUsage: [.digitalSignature],
        extendedKeyUsages: ["1.3.6.1.4.1.311.20.2.1"].compactMap(ExtendedKeyPurpose.init))

    /// Users without archival, by an enrolment agent too.
    static let plainUser: CertificateTemplate = {
        var template = BuiltInTemplates.user
        template.archival = .none
        template.onBehalfOf = true
        template.requiredSignatures = .init(count: 1, applicationPolicies: enrollmentAgent.extendedKeyUsages)
        return template
    }()

    static let templates = [BuiltInTemplates.webServer, BuiltInTemplates.keyRecoveryAgent, enrollmentAgent, plainUser]
}
