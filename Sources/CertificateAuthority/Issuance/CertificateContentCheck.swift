import PKIMessages
import SwiftASN1
import X509

/// Reads the to-be-signed bytes back and compares them with what policy decided: what the token signs must be that
/// and nothing else, whatever the encoder did.
struct CertificateContentCheck {
    let content: CertificateContent
    let issuer: CertificateIssuer

    /// - Throws: ``IssuanceError`` with code `contentMismatch`, `PKIMessageError` when the bytes do not parse.
    func check(toBeSigned: [UInt8]) throws {
        // A signature of one byte makes a certificate of the right shape; nobody ever sees it.
        let fields = try CertificateFields(
            derEncoded: SignedObject.assemble(
                tbs: toBeSigned, algorithm: self.issuer.signatureAlgorithm, signature: [0]))
        try self.checkIdentity(fields)
        try self.checkValidity(fields)
        try self.checkConstraints(fields)
        try self.checkExtensions(fields)
    }

    private func checkIdentity(_ fields: CertificateFields) throws {
        try self.require(fields.serialNumber == self.content.serialNumber, "serial number")
        try self.require(fields.issuerDER == self.issuer.certificate.subjectDER, "issuer")
        try self.require(fields.signatureAlgorithm == self.issuer.signatureAlgorithm, "signature algorithm")
        try self.require(fields.subjectDER == self.content.subject.subjectDER, "subject")
        try self.require(fields.subjectPublicKeyInfo == self.content.subjectPublicKeyInfo, "public key")
        try self.require(
            fields.subjectPublicKeyInfo != self.issuer.certificate.subjectPublicKeyInfo, "public key",
            "it is the certification authority's own")
        // A certificate with the CA's name and another key would be taken for a renewed CA.
        try self.require(
            fields.subjectDER != self.issuer.certificate.subjectDER, "subject",
            "it is the certification authority's own")
        try self.require(fields.authorityKeyIdentifier == self.issuer.keyIdentifier, "authority key identifier")
        try self.require(
            fields.subjectKeyIdentifier == self.content.subjectPublicKeyInfo.keyIdentifier, "subject key identifier")
    }

    private func checkValidity(_ fields: CertificateFields) throws {
        try self.require(fields.notBefore == self.content.notBefore, "notBefore")
        try self.require(fields.notAfter == self.content.notAfter, "notAfter")
        try self.require(fields.notBefore < fields.notAfter, "validity", "it ends before it begins")
        try self.require(
            fields.notAfter <= self.issuer.certificate.notAfter, "notAfter", "it is after that of the issuer")
    }

    private func checkConstraints(_ fields: CertificateFields) throws {
        let template = self.content.template
        switch (template.certificationAuthority, fields.basicConstraints) {
        case (nil, nil), (nil, .notCertificateAuthority): break
        case (let authority?, .isCertificateAuthority(let pathLength)):
            try self.require(pathLength == authority.pathLength, "path length")
        default: throw IssuanceError.contentMismatch("basic constraints", "they contradict the template")
        }
        let usage = self.content.keyUsage.isEmpty ? nil : KeyUsage(self.content.keyUsage)
        try self.require(fields.keyUsage == usage, "key usage")
        try self.require(fields.extendedKeyUsages == template.extendedKeyUsages.map(\.oid), "extended key usage")
        let signsCertificates = fields.keyUsage?.keyCertSign ?? false
        try self.require(
            !signsCertificates || template.certificationAuthority != nil, "key usage",
            "an end entity must not sign certificates")
    }

    private func checkExtensions(_ fields: CertificateFields) throws {
        let known = ExtensionDecoding(fields.extensions)
        try self.require(
            known.subjectAlternativeNames() == self.content.subject.alternativeNames, "subject alternative names")
        try self.require(
            known.applicationPolicies() == self.content.template.statedApplicationPolicies.map(\.oid),
            "application policies")
        try self.require(known.crlDistributionPointURLs() == self.issuer.crlURLs, "CRL distribution points")
        try self.require(fields.extensions == self.issuer.extensions(of: self.content), "extensions")
    }

    private func require(_ holds: Bool, _ field: String, _ reason: String = "it differs") throws {
        guard holds else { throw IssuanceError.contentMismatch(field, reason) }
    }
}
