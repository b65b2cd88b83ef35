import PKIMessages
import X509

/// Whom a certificate names, as policy decided it.
struct CertificateSubject: Sendable, Equatable {
    /// The longest name, in bytes of DER; a longer one is an attack on whoever displays it.
    static let maximumNameBytes = 4096
    static let maximumAlternativeNames = 250

    /// Byte for byte as it will stand in the certificate.
    var subjectDER: [UInt8]
    var alternativeNames: [GeneralName]
    var userPrincipalName: String?

    /// True when the name has no attributes.
    var isEmpty: Bool { self.subjectDER == [0x30, 0x00] }

    /// The subject by the template's rules.
    ///
    /// - Throws: ``PolicyError``: 0x80094001 for a name that cannot be certified, 0x8009480D when no user principal
    ///   name can be built.
    static func decide(
        for template: CertificateTemplate, request: ReceivedRequest, requester: Principal,
        configuration: CAConfiguration
    ) throws -> CertificateSubject {
        var subject = CertificateSubject(subjectDER: [], alternativeNames: [], userPrincipalName: nil)
        switch template.subject {
        case .fromRequest:
            subject.subjectDER = request.certificationRequest.subjectDER
        case .fromRequester:
            let name = try DistinguishedName([
                RelativeDistinguishedName.Attribute(
                    type: .RDNAttributeType.commonName, utf8String: requester.accountName)
            ])
            subject.subjectDER = try StrictDER.serialize(name)
        }
        switch template.subjectAlternativeName {
        case .none: break
        case .fromRequest:
            subject.alternativeNames = request.alternativeNames
        case .userPrincipalName:
            guard let suffix = configuration.userPrincipalNameSuffix else {
                throw PolicyError.userPrincipalNameUnavailable(requester)
            }
            let name = "\(requester.accountName)@\(suffix)"
            subject.userPrincipalName = name
            subject.alternativeNames = [try .userPrincipalName(name)]
        }
        try subject.check(template)
        return subject
    }

    private func check(_ template: CertificateTemplate) throws {
        guard self.subjectDER.count <= CertificateSubject.maximumNameBytes else {
            throw PolicyError.badSubject("its subject is longer than \(CertificateSubject.maximumNameBytes) bytes")
        }
        guard self.alternativeNames.count <= CertificateSubject.maximumAlternativeNames else {
            throw PolicyError.badSubject("it has \(self.alternativeNames.count) alternative names")
        }
        guard !self.isEmpty || !self.alternativeNames.isEmpty else {
            throw PolicyError.badSubject("it has neither a subject nor alternative names")
        }
        // A CA must have a name: it is the issuer in what it signs (RFC 5280, section 4.1.2.6).
        guard !self.isEmpty || template.certificationAuthority == nil else {
            throw PolicyError.badSubject("a certification authority must have a subject")
        }
        // Who may choose names may not choose an account: a user principal name comes from authentication only.
        guard template.subjectAlternativeName != .fromRequest || self.alternativeNames.allSatisfy(\.isChoosable) else {
            throw PolicyError.badSubject(
                "template \(template.name) takes DNS names, IP and mail addresses and URIs as alternative names only")
        }
    }
}

extension GeneralName {
    /// True for the kinds of name that a requester may choose where the template lets it.
    fileprivate var isChoosable: Bool {
        switch self {
        case .dnsName, .ipAddress, .rfc822Name, .uniformResourceIdentifier: true
        default: false
        }
    }
}
