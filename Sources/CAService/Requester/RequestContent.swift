import CertificateAuthority
package import PKIMessages
package import X509

/// What a requester asks for.
package struct RequestContent: Sendable {
    package let subject: DistinguishedName
    package let alternativeNames: [GeneralName]
    /// The certificate template's name; `nil` for the one of the certificate that is renewed, or for none.
    package let template: String?
    /// `Name:Value` pairs that go along in the request.
    package let attributes: [(name: String, value: String)]
    /// The template as a renewed certificate names it.
    private let renewedTemplate: [Certificate.Extension]
    private let furtherExtensions: [Certificate.Extension]

    /// - Parameters:
    ///   - subject: RFC 4514; empty where the template builds the subject, or for that of `renewing`.
    ///   - alternativeNames: `dns:www.example.test`, `email:`, `uri:`, `ip:`, `upn:`; none for those of `renewing`.
    ///   - attributes: `Name:Value`.
    ///   - furtherExtensions: are asked for as they are.
    ///   - renewing: gives what is not said otherwise.
    /// - Throws: ``ServiceError`` with code `invalidName`, `PKIMessageError`.
    package init(
        subject: String?, alternativeNames: [String] = [], template: String?, attributes: [String] = [],
        furtherExtensions: [Certificate.Extension] = [], renewing: CertificateFields? = nil
    ) throws {
        self.furtherExtensions = furtherExtensions
        self.subject = try subject.map(DistinguishedNameText.parse) ?? renewing?.subject ?? DistinguishedName()
        let names = try alternativeNames.map { text in
            guard let name = GeneralNameText.name(text) else {
                throw ServiceError.invalidName(
                    "The alternative name \"\(text)\"", "it is not dns:, email:, uri:, ip: or upn: with a name")
            }
            return name
        }
        let known = renewing.map { ExtensionDecoding($0.extensions) }
        self.alternativeNames = try names.isEmpty ? known?.subjectAlternativeNames() ?? [] : names
        self.template = template
        self.attributes = try attributes.map { text in
            let pair = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, !pair[0].isEmpty, !text.contains(where: \.isNewline) else {
                throw ServiceError.invalidName("The attribute \"\(text)\"", "it is not of the form Name:Value")
            }
            return (pair[0], pair[1])
        }
        self.renewedTemplate =
            template == nil
            ? (renewing?.extensions ?? []).filter {
                $0.oid == OID.msCertificateTemplate || $0.oid == OID.msCertificateTemplateName
            } : []
    }

    /// The extensions that the PKCS #10 asks for.
    func extensions() throws -> [Certificate.Extension] {
        var extensions = self.renewedTemplate
        if let template { extensions.append(try ExtensionEncoding.microsoftTemplateName(template)) }
        if !self.alternativeNames.isEmpty {
            extensions.append(
                try ExtensionEncoding.subjectAlternativeName(
                    self.alternativeNames, critical: Array(self.subject).isEmpty))
        }
        return extensions + self.furtherExtensions
    }
}
