import PKIMessages
import SwiftASN1
import X509

extension DescriptionText {
    mutating func describe(_ request: CertificationRequest) {
        self.line("PKCS10 Certificate Request:")
        self.line("Version: 1")
        self.name("Subject", request.subject)
        self.line()
        self.publicKey(request.subjectPublicKeyInfo)
        self.line("Request Attributes: \(request.attributes.count)")
        self.attributes(request.attributes.map { CMSAttribute(type: $0.type, values: $0.values) })
        self.signature(request.signatureAlgorithm, request.signature)
        self.verdict(of: "Public Key") {
            try request.verifyProofOfPossession()
            return true
        }
        self.keyHashes(request.subjectPublicKeyInfo)
    }

    /// Attributes of a request, of a signer, or of a control, in the form that all of them have.
    mutating func attributes(_ attributes: [CMSAttribute], _ key: SubjectPublicKeyInfo? = nil) {
        self.indented(by: 2) { text in
            text.line("\(attributes.count) attributes:")
            for (index, attribute) in attributes.enumerated() {
                let name = AttributeDescription.names[attribute.type] ?? "Unknown"
                text.line()
                text.line("Attribute[\(index)]: \(attribute.type) (\(name))")
                text.indented(by: 2) { text in
                    for (number, value) in attribute.values.enumerated() {
                        text.line("Value[\(index)][\(number)]:")
                        text.attributeValue(attribute.type, value)
                    }
                }
            }
        }
        self.line()
    }
}

/// The attributes that are known by name.
enum AttributeDescription {
    static let names: [ASN1ObjectIdentifier: String] = [
        OID.contentType: "Content Type", OID.messageDigest: "Message Digest", OID.signingTime: "Signing Time",
        OID.challengePassword: "Challenge Password", OID.extensionRequest: "Certificate Extensions",
        OID.msCertExtensions: "Certificate Extensions", OID.msRenewalCertificate: "Renewal Certificate",
        OID.msEnrollmentNameValuePair: "Enrollment Name Value Pair", OID.msEnrollmentCSP: "Enrollment CSP",
        OID.msOSVersion: "OS Version", OID.msRequestClientInfo: "Client Information",
        OID.msEncryptedKey: "Encrypted Private Key", OID.msEncryptedKeyHash: "Encrypted Key Hash",
        OID.msIssuedCertHash: "Issued Certificate Hash", OID.msArchivedKeyCertHash: "Archived Key Certificate Hash",
        [1, 2, 840, 113549, 1, 9, 1]: "Email", [1, 2, 840, 113549, 1, 9, 2]: "Unstructured Name",
        [1, 2, 840, 113549, 1, 9, 6]: "Counter Sign", [1, 2, 840, 113549, 1, 9, 15]: "SMIME Capabilities",
        [1, 2, 840, 113549, 1, 9, 20]: "Friendly Name", [1, 2, 840, 113549, 1, 9, 21]: "Local Key Id",
        [1, 2, 840, 113549, 1, 9, 16, 2, 47]: "Signing Certificate",
    ]

    /// Those for whose values Windows has no formatter (``DescriptionStyle/attributeNote``).
    static let withoutFormatter: Set<ASN1ObjectIdentifier> = [
        OID.contentType, OID.messageDigest, OID.msRequestClientInfo, OID.msEncryptedKey, OID.msEncryptedKeyHash,
        OID.msIssuedCertHash, OID.msArchivedKeyCertHash,
    ]

    /// The programs that a client names itself as (MS-WCCE, section 2.2.2.7.4).
    static let clients: [Int: String] = [
        1: "XECI_XENROLL", 2: "XECI_AUTOENROLL", 3: "XECI_REQWIZARD", 4: "XECI_CERTREQ",
        5: "ClientIdDefaultRequest", 6: "ClientIdAutoEnroll", 7: "ClientIdRequestWizard", 8: "ClientIdEOBO",
        9: "ClientIdCertReq",
    ]
}
