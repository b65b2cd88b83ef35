/// The templates a new instance starts with, after those of Windows Server 2003 (MS-CRTD, note 41).
///
/// Their identifiers are in Microsoft's arc for generated template identifiers, 1.3.6.1.4.1.311.21.8; the last arc is
/// the one that Windows gives the template of that name.
package enum BuiltInTemplates {
    private static let arc = "1.3.6.1.4.1.311.21.8.7219303.14830471.5260984.9312755.2078441.117.1"

    /// TLS servers; subject and names come from the request.
    package static let webServer = CertificateTemplate(
        name: "WebServer", displayName: "Web Server", oid: "\(arc).16", schemaVersion: 1, majorVersion: 4,
        minorVersion: 1, validity: .years(2), keyUsage: [.digitalSignature, .keyEncipherment],
        extendedKeyUsages: [.serverAuth], subject: .fromRequest, subjectAlternativeName: .fromRequest)

    /// Users; the private key is archived.
    package static let user = CertificateTemplate(
        name: "User", displayName: "User", oid: "\(arc).1", validity: .years(1),
        keyUsage: [.digitalSignature, .keyEncipherment],
        extendedKeyUsages: [.encryptingFileSystem, .emailProtection, .clientAuth], subject: .fromRequester,
        subjectAlternativeName: .userPrincipalName, archival: .required)

    /// Key recovery agents. Each request waits for a certificate manager, who looks at the subject.
    package static let keyRecoveryAgent = CertificateTemplate(
        name: "KeyRecoveryAgent", displayName: "Key Recovery Agent", oid: "\(arc).27", majorVersion: 105,
        validity: .years(2), keyUsage: [.keyEncipherment], extendedKeyUsages: [.keyRecoveryAgent],
        subject: .fromRequest, pendAll: true)

    /// Certification authorities below this one. Only an administrator of this one may ask.
    package static let subordinateCA = CertificateTemplate(
        name: "SubCA", displayName: "Subordinate Certification Authority", oid: "\(arc).18", schemaVersion: 1,
        majorVersion: 5, minorVersion: 1, validity: .years(5), keyUsage: [.digitalSignature, .keyCertSign, .cRLSign],
        certificationAuthority: .init(pathLength: nil), subject: .fromRequest,
        enrollableBy: [Role.administrator.rawValue])

    /// The certificate to which requesters encrypt the keys they send for archival; the CA issues it to itself.
    package static let caExchange = CertificateTemplate(
        name: "CAExchange", displayName: "CA Exchange", oid: "\(arc).26", majorVersion: 106, validity: .weeks(1),
        overlap: .days(1), keyUsage: [.keyEncipherment], extendedKeyUsages: [.caExchange], subject: .fromRequest,
        enrollableBy: [])

    package static let all = [webServer, user, keyRecoveryAgent, subordinateCA, caExchange]
}
