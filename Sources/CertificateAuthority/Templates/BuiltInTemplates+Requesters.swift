/// Templates for people and their computers.
extension BuiltInTemplates {
    /// Users; the private key is archived.
    package static let user = CertificateTemplate(
        name: "User", displayName: "User", oid: "\(arc).1", validity: .years(1), subject: .fromRequester,
        subjectAlternativeName: .userPrincipalName, keyUsage: [.digitalSignature, .keyEncipherment],
        extendedKeyUsages: [.encryptingFileSystem, .emailProtection, .clientAuth], smimeCapabilities: true,
        archival: .required, client: .init(exportableKey: true))

    /// Users who only sign and authenticate.
    package static let userSignature = CertificateTemplate(
        name: "UserSignature", displayName: "User Signature Only", oid: "\(arc).2", schemaVersion: 1, majorVersion: 4,
        minorVersion: 1, validity: .years(1), subject: .built([.commonName, .email]),
        subjectAlternativeName: AlternativeNameRule([.userPrincipalName, .email]), keyUsage: [.digitalSignature],
        extendedKeyUsages: [.emailProtection, .clientAuth], smimeCapabilities: true,
        client: .init(keySpecification: .signature))

    /// Users who keep their key on a card.
    package static let smartCardUser = CertificateTemplate(
        name: "SmartcardUser", displayName: "Smartcard User", oid: "\(arc).3", majorVersion: 100, validity: .years(1),
        subject: .built([.commonName, .email]),
        subjectAlternativeName: AlternativeNameRule([.userPrincipalName, .email]),
        keyUsage: [.digitalSignature, .keyEncipherment],
        extendedKeyUsages: [.emailProtection, .clientAuth, .smartCardLogon], smimeCapabilities: true,
        requiredSignatures: .init(count: 1, applicationPolicies: [.certificateRequestAgent]), onBehalfOf: true)

    /// Logging on with a card.
    package static let smartCardLogon = CertificateTemplate(
        name: "SmartcardLogon", displayName: "Smartcard Logon", oid: "\(arc).5", majorVersion: 100, validity: .years(1),
        subject: .fromRequester, subjectAlternativeName: .userPrincipalName,
        keyUsage: [.digitalSignature, .keyEncipherment], extendedKeyUsages: [.clientAuth, .smartCardLogon],
        requiredSignatures: .init(count: 1, applicationPolicies: [.certificateRequestAgent]), onBehalfOf: true)

    /// Users who authenticate to servers.
    package static let clientAuthentication = CertificateTemplate(
        name: "ClientAuth", displayName: "Authenticated Session", oid: "\(arc).4", schemaVersion: 1, majorVersion: 3,
        minorVersion: 1, validity: .years(1), subject: .fromRequester, subjectAlternativeName: .userPrincipalName,
        keyUsage: [.digitalSignature], extendedKeyUsages: [.clientAuth], client: .init(keySpecification: .signature))

    /// The Encrypting File System.
    package static let encryptingFileSystem = CertificateTemplate(
        name: "EFS", displayName: "Basic EFS", oid: "\(arc).6", schemaVersion: 1, majorVersion: 3, minorVersion: 1,
        validity: .years(1), subject: .fromRequester, subjectAlternativeName: .userPrincipalName,
        keyUsage: [.keyEncipherment], extendedKeyUsages: [.encryptingFileSystem], client: .init(exportableKey: true))

    /// Who may read the files of others.
    package static let recoveryAgent = CertificateTemplate(
        name: "EFSRecovery", displayName: "EFS Recovery Agent", oid: "\(arc).8", schemaVersion: 1, majorVersion: 6,
        minorVersion: 1, validity: .years(5), subject: .fromRequester, subjectAlternativeName: .userPrincipalName,
        keyUsage: [.keyEncipherment], extendedKeyUsages: [.fileRecovery], client: .init(exportableKey: true),
        permissions: administratorsOnly)

    /// Signing programs.
    package static let codeSigning = CertificateTemplate(
        name: "CodeSigning", displayName: "Code Signing", oid: "\(arc).9", schemaVersion: 1, majorVersion: 3,
        minorVersion: 1, validity: .years(1), subject: .fromRequester, subjectAlternativeName: .userPrincipalName,
        keyUsage: [.digitalSignature], extendedKeyUsages: [.codeSigning],
        client: .init(keySpecification: .signature), permissions: administratorsOnly)

    /// Who may ask for certificates on behalf of others.
    package static let enrollmentAgent = CertificateTemplate(
        name: "EnrollmentAgent", displayName: "Enrollment Agent", oid: "\(arc).11", schemaVersion: 1, majorVersion: 4,
        minorVersion: 1, validity: .years(2), subject: .fromRequester, subjectAlternativeName: .userPrincipalName,
        keyUsage: [.digitalSignature], extendedKeyUsages: [.certificateRequestAgent], pendAll: true,
        client: .init(keySpecification: .signature), permissions: administratorsOnly)

    /// Mail users who encrypt; names come from the request.
    package static let exchangeUser = CertificateTemplate(
        name: "ExchangeUser", displayName: "Exchange User", oid: "\(arc).23", schemaVersion: 1, majorVersion: 7,
        minorVersion: 1, validity: .years(1), subject: .fromRequest, subjectAlternativeName: .fromRequest,
        keyUsage: [.keyEncipherment], extendedKeyUsages: [.emailProtection], smimeCapabilities: true, pendAll: true,
        client: .init(exportableKey: true))

    /// Computers, by their name in the directory.
    package static let computer = CertificateTemplate(
        name: "Machine", displayName: "Computer", oid: "\(arc).14", schemaVersion: 1, majorVersion: 5, minorVersion: 1,
        validity: .years(1), subject: .built([.dnsName]), subjectAlternativeName: AlternativeNameRule([.dnsName]),
        keyUsage: [.digitalSignature, .keyEncipherment], extendedKeyUsages: [.clientAuth, .serverAuth], machine: true)
}
