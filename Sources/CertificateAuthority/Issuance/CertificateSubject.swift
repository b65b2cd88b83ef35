import PKIMessages
import SwiftASN1
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

    /// What a subject is made of.
    struct Sources {
        var template: CertificateTemplate
        var request: ReceivedRequest
        /// Whom the certificate is for.
        var requester: Principal
        /// What the directory has of the requester; `nil` when it knows nobody of that name.
        var entry: RequesterEntry?
        var userPrincipalNameSuffix: String?
        /// On renewal: the certificate that is replaced.
        var renewedCertificate: CertificateFields?
        /// Names of the request attribute `SAN`, where the CA's settings take it.
        var attributeNames: [GeneralName] = []
    }

    /// The subject by the template's rules.
    ///
    /// - Throws: ``PolicyError``: 0x80094001 for a name that cannot be certified, 0x8009480D, 0E, 0F or 12 when the
    ///   principal name, identifier, DNS name or mail address that the template wants is not known.
    static func decide(_ sources: Sources) throws -> CertificateSubject {
        if sources.template.renewalKeepsNames, let renewed = sources.renewedCertificate {
            let names = try ExtensionDecoding(renewed.extensions).subjectAlternativeNames()
            return CertificateSubject(
                subjectDER: renewed.subjectDER, alternativeNames: names,
                userPrincipalName: names.compactMap(\.userPrincipalName).first)
        }
        var subject = CertificateSubject(subjectDER: [], alternativeNames: [], userPrincipalName: nil)
        switch sources.template.subject {
        case .fromRequest: subject.subjectDER = sources.request.certificationRequest.subjectDER
        case .built(let parts):
            subject.subjectDER = try StrictDER.serialize(BuiltNames(sources).distinguishedName(of: parts))
        }
        for part in sources.template.subjectAlternativeName.parts {
            if part == .fromRequest {
                subject.alternativeNames += try CertificateSubject.chosenNames(sources)
            } else {
                subject.alternativeNames += try BuiltNames(sources).alternativeNames(of: part)
            }
        }
        subject.alternativeNames += sources.attributeNames.filter { !subject.alternativeNames.contains($0) }
        subject.userPrincipalName = subject.alternativeNames.compactMap(\.userPrincipalName).first
        try subject.check(sources.template)
        return subject
    }

    /// Who may choose names may not choose an account: a user principal name comes from authentication only.
    private static func chosenNames(_ sources: Sources) throws -> [GeneralName] {
        let names = sources.request.alternativeNames
        guard names.allSatisfy(\.isChoosable) else {
            throw PolicyError.badSubject(
                "template \(sources.template.name) takes DNS names, IP and mail addresses and URIs as alternative names "
                    + "only")
        }
        return names
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
    }
}

extension GeneralName {
    /// True for the kinds of name that a requester may choose where the template lets it.
    var isChoosable: Bool {
        switch self {
        case .dnsName, .ipAddress, .rfc822Name, .uniformResourceIdentifier: true
        default: false
        }
    }
}
