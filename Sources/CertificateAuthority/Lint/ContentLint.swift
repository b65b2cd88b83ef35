import PKIMessages
import SwiftASN1
import X509

/// Compares what the bytes say with what policy decided: what the token signs must be that and nothing else, whatever
/// the encoder did.
struct ContentLint {
    private(set) var findings: [LintFinding] = []
    private let fields: CertificateFields
    private let alternativeNames: [GeneralName]
    private let content: CertificateContent
    private let issuer: CertificateIssuer

    init(
        fields: CertificateFields, alternativeNames: [GeneralName], decided: TBSCertificate,
        content: CertificateContent, issuer: CertificateIssuer
    ) throws {
        self.fields = fields
        self.alternativeNames = alternativeNames
        self.content = content
        self.issuer = issuer
        self.checkIdentity()
        self.checkValidity()
        try self.checkUsage()
        self.require(fields.extensions == decided.extensions, "extensions")
    }

    private mutating func checkIdentity() {
        let own = self.issuer.certificate
        self.require(self.fields.serialNumber == self.content.serialNumber, "serial number")
        self.require(self.fields.issuerDER == own.subjectDER, "issuer")
        self.require(self.fields.signatureAlgorithm == self.issuer.signatureAlgorithm, "signature algorithm")
        self.require(self.fields.subjectDER == self.content.subject.subjectDER, "subject")
        self.require(self.fields.subjectPublicKeyInfo == self.content.subjectPublicKeyInfo, "public key")
        self.require(
            self.fields.subjectPublicKeyInfo != own.subjectPublicKeyInfo, "public key",
            "it is the certification authority's own")
        // A certificate with the CA's name and another key is taken for a renewed CA.
        self.require(
            (self.fields.subjectDER == own.subjectDER) == self.content.isLink, "subject",
            self.content.isLink
                ? "it is not the certification authority's own" : "it is the certification authority's own")
        self.require(self.fields.authorityKeyIdentifier == self.issuer.keyIdentifier, "authority key identifier")
        self.require(
            self.fields.subjectKeyIdentifier == self.content.keyIdentifier,
            "subject key identifier")
    }

    private mutating func checkValidity() {
        self.require(self.fields.notBefore == self.content.notBefore, "notBefore")
        self.require(self.fields.notAfter == self.content.notAfter, "notAfter")
        self.require(
            self.fields.notAfter <= self.issuer.certificate.notAfter, "notAfter", "it is after that of the issuer")
    }

    /// What a template decides is compared field by field, and not only with the encoding of the same template.
    private mutating func checkUsage() throws {
        let template = self.content.template
        // What a certificate manager has set is compared with the whole encoding only, too.
        let carried = Set(self.content.carried.map(\.oid)).union(
            self.content.managerExtensions.compactMap { ObjectIdentifierText.parse($0.oid) })
        switch (template.certificationAuthority, self.fields.basicConstraints) {
        case (nil, nil), (nil, .notCertificateAuthority): break
        case (let authority?, .isCertificateAuthority(let pathLength)):
            self.require(pathLength == authority.pathLength, "path length")
        default: self.require(false, "basic constraints", "they contradict the template")
        }
        if !carried.contains(OID.keyUsage) {
            let usage = self.content.keyUsage.isEmpty ? nil : KeyUsage(self.content.keyUsage)
            self.require(self.fields.keyUsage == usage, "key usage")
        }
        if !carried.contains(OID.extendedKeyUsage) {
            self.require(
                self.fields.extendedKeyUsages == template.extendedKeyUsages.map(\.oid), "extended key usage")
        }
        let known = ExtensionDecoding(self.fields.extensions)
        if !carried.contains(OID.subjectAlternativeName) {
            self.require(
                self.alternativeNames == self.content.subject.alternativeNames, "subject alternative names")
        }
        if !carried.contains(OID.msApplicationPolicies) {
            self.require(
                try known.applicationPolicies() == template.statedApplicationPolicies.map(\.oid),
                "application policies")
        }
        self.require(
            try self.issuer.namesLists(ofShard: self.content.crlShard, known), "CRL distribution points or freshest CRL"
        )
    }

    private mutating func require(_ holds: Bool, _ field: String, _ reason: String = "it differs") {
        guard !holds else { return }
        self.findings.append(
            LintFinding("content-mismatch", .error, .template, "its \(field) is not what policy decided: \(reason)"))
    }
}
