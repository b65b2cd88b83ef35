/// The templates a new instance starts with, after those of Windows Server 2003 (MS-CRTD, note 41).
///
/// Their identifiers are in Microsoft's arc for generated template identifiers, 1.3.6.1.4.1.311.21.8; the last arc is
/// the one that Windows gives the template of that name.
package enum BuiltInTemplates {
    static let arc = "1.3.6.1.4.1.311.21.8.7219303.14830471.5260984.9312755.2078441.117.1"

    static let administratorsOnly = TemplatePermission.enrolment([Role.administrator.rawValue])

    /// TLS servers; subject and names come from the request.
    package static let webServer = CertificateTemplate(
        name: "WebServer", displayName: "Web Server", oid: "\(arc).16", schemaVersion: 1, majorVersion: 4,
        minorVersion: 1, validity: .years(2), subject: .fromRequest, subjectAlternativeName: .fromRequest,
        keyUsage: [.digitalSignature, .keyEncipherment], extendedKeyUsages: [.serverAuth], machine: true)

    /// The certificate to which requesters encrypt the keys they send for archival; the CA issues it to itself.
    package static let caExchange = CertificateTemplate(
        name: "CAExchange", displayName: "CA Exchange", oid: "\(arc).26", majorVersion: 106, validity: .weeks(1),
        overlap: .days(1), subject: .fromRequest, keyUsage: [.keyEncipherment], extendedKeyUsages: [.caExchange],
        machine: true, permissions: [])

    /// Key recovery agents. Each request waits for a certificate manager, who looks at the subject.
    package static let keyRecoveryAgent = CertificateTemplate(
        name: "KeyRecoveryAgent", displayName: "Key Recovery Agent", oid: "\(arc).27", majorVersion: 105,
        validity: .years(2), subject: .fromRequest, keyUsage: [.keyEncipherment],
        extendedKeyUsages: [.keyRecoveryAgent], pendAll: true, autoenrollment: true,
        publication: .init(keyRecoveryAgents: true), client: .init(exportableKey: true))

    /// Certification authorities below this one. Only an administrator of this one may ask.
    package static let subordinateCA = CertificateTemplate(
        name: "SubCA", displayName: "Subordinate Certification Authority", oid: "\(arc).18", schemaVersion: 1,
        majorVersion: 5, minorVersion: 1, validity: .years(5), subject: .fromRequest,
        keyUsage: [.digitalSignature, .keyCertSign, .cRLSign], certificationAuthority: .init(pathLength: nil),
        machine: true, permissions: administratorsOnly)

    /// Certification authorities elsewhere, within limits that the request states and an agent has signed.
    package static let crossCA = CertificateTemplate(
        name: "CrossCA", displayName: "Cross Certification Authority", oid: "\(arc).25", majorVersion: 105,
        validity: .years(5), subject: .fromRequest, keyUsage: [.digitalSignature, .keyCertSign, .cRLSign],
        certificationAuthority: .init(pathLength: nil), crossCertification: true,
        requiredSignatures: .init(count: 1, applicationPolicies: [.qualifiedSubordination]),
        permissions: administratorsOnly)

    /// OCSP responders.
    package static let ocspResponseSigning = CertificateTemplate(
        name: "OCSPResponseSigning", displayName: "OCSP Response Signing", oid: "\(arc).32", schemaVersion: 3,
        majorVersion: 101, validity: .weeks(2), overlap: .days(2), subject: .fromRequest,
        keyUsage: [.digitalSignature], extendedKeyUsages: [.ocspSigning], machine: true,
        permissions: administratorsOnly)

    package static let all = [
        webServer, user, keyRecoveryAgent, subordinateCA, caExchange, userSignature, smartCardUser, smartCardLogon,
        clientAuthentication, encryptingFileSystem, recoveryAgent, codeSigning, enrollmentAgent, exchangeUser, computer,
        crossCA, ocspResponseSigning,
    ]

    /// Which of them a new certification authority issues from.
    package static let enabled = [webServer, user, keyRecoveryAgent, subordinateCA, caExchange]
}
