package import Diagnostics

/// Why policy refuses a request.
package struct PolicyError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let noTemplate = Code(rawValue: "noTemplate")
        package static let unsupportedTemplate = Code(rawValue: "unsupportedTemplate")
        package static let templateConflict = Code(rawValue: "templateConflict")
        package static let newerTemplateVersion = Code(rawValue: "newerTemplateVersion")
        package static let templateDenied = Code(rawValue: "templateDenied")
        package static let archivedKeyRequired = Code(rawValue: "archivedKeyRequired")
        package static let archivedKeyUnexpected = Code(rawValue: "archivedKeyUnexpected")
        package static let keyTooShort = Code(rawValue: "keyTooShort")
        /// The key's algorithm cannot do what the template is for.
        package static let unsuitableKey = Code(rawValue: "unsuitableKey")
        package static let badSubject = Code(rawValue: "badSubject")
        package static let userPrincipalNameUnavailable = Code(rawValue: "userPrincipalNameUnavailable")
        package static let overlapTooLong = Code(rawValue: "overlapTooLong")
        /// A name that the template wants is in no directory.
        package static let nameUnavailable = Code(rawValue: "nameUnavailable")
        /// The key's kind, or the hash that signed the request, is none that the template takes.
        package static let algorithmNotAllowed = Code(rawValue: "algorithmNotAllowed")
        package static let signatures = Code(rawValue: "signatures")
        package static let onBehalfOf = Code(rawValue: "onBehalfOf")
        package static let renewalKey = Code(rawValue: "renewalKey")
        package static let badAttribute = Code(rawValue: "badAttribute")
        /// The certificate would be one that must not be signed; see the findings.
        package static let lint = Code(rawValue: "lint")
        /// The configuration denies what no rule refuses.
        package static let deniedByDefault = Code(rawValue: "deniedByDefault")
        /// The external policy program said no.
        package static let deniedByProgram = Code(rawValue: "deniedByProgram")
    }

    package var code: Code
    /// What is wrong, as a clause.
    package var reason: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]
    /// The sentence that follows the code in the disposition message; the code's own text unless given.
    package var detail: String

    package init(
        code: Code, reason: String, hresult: HRESULT, facts: [Fact] = [], advice: [Advice], detail: String? = nil
    ) {
        self.code = code
        self.reason = reason
        self.hresult = hresult
        self.facts = facts
        self.advice = advice
        self.detail = detail ?? hresult.text
    }

    package var headline: String { "The request was denied: \(self.reason)." }

    package static func == (lhs: PolicyError, rhs: PolicyError) -> Bool { lhs.code == rhs.code }
}

extension PolicyError {
    static func noTemplate() -> PolicyError {
        PolicyError(
            code: .noTemplate, reason: "it names no certificate template", hresult: .noCertType,
            advice: ["Name the template in the request attributes, as CertificateTemplate:WebServer."])
    }

    static func unsupportedTemplate(_ name: String) -> PolicyError {
        PolicyError(
            code: .unsupportedTemplate, reason: "this certification authority has no template \"\(name)\"",
            hresult: .unsupportedCertType, facts: [Fact("template", name)],
            advice: ["Choose one of the templates that this certification authority offers."],
            detail: "The request was for a certificate template that is not supported by the Active Directory "
                + "Certificate Services policy: \(name).")
    }

    static func templateConflict(_ names: [String]) -> PolicyError {
        PolicyError(
            code: .templateConflict, reason: "it names more than one certificate template",
            hresult: .templateConflict, facts: [Fact("templates", names.joined(separator: ", "))],
            advice: ["Name the same template in the request's extensions and in the request attributes."])
    }

    static func newerTemplateVersion(_ template: CertificateTemplate, requested: Int) -> PolicyError {
        PolicyError(
            code: .newerTemplateVersion,
            reason: "it asks for version \(requested) of template \(template.name), and this certification "
                + "authority has version \(template.majorVersion)",
            hresult: .badTemplateVersion, facts: [Fact("template", template.name)],
            advice: ["Bring the certification authority's template up to date, or ask for its version."])
    }

    static func templateDenied(_ template: CertificateTemplate, _ caller: Principal) -> PolicyError {
        PolicyError(
            code: .templateDenied, reason: "\(caller.name) may not enrol for template \(template.name)",
            hresult: .templateDenied, facts: [Fact("template", template.name), Fact("user", caller.name)],
            advice: ["Grant enrolment on the template to the user, or choose another template."])
    }

    static func archivedKeyRequired(_ template: CertificateTemplate) -> PolicyError {
        PolicyError(
            code: .archivedKeyRequired,
            reason: "template \(template.name) requires the private key to be archived, "
                + "and the request carries none",
            hresult: .archivedKeyRequired, facts: [Fact("template", template.name)],
            advice: ["Send a CMC request with the private key encrypted to the exchange certificate."])
    }

    static func archivedKeyUnexpected(_ template: CertificateTemplate) -> PolicyError {
        PolicyError(
            code: .archivedKeyUnexpected,
            reason: "it carries a private key, and template \(template.name) does not "
                + "archive keys",
            hresult: .archivedKeyUnexpected, facts: [Fact("template", template.name)],
            advice: ["Send the request without the private key, or choose a template that archives keys."])
    }

    static func keyTooShort(bits: Int, minimum: Int, _ template: CertificateTemplate) -> PolicyError {
        PolicyError(
            code: .keyTooShort,
            reason: "the public key has \(bits) bits, and template \(template.name) needs \(minimum)",
            hresult: .keyLength, facts: [Fact("bits", "\(bits)"), Fact("minimum bits", "\(minimum)")],
            advice: [Advice("Make a key of at least \(minimum) bits and request again.")])
    }

    static func unsuitableKey(_ reason: String) -> PolicyError {
        PolicyError(
            code: .unsuitableKey, reason: reason, hresult: .badKey,
            advice: ["Make a key of an algorithm that the template is for; RSA can do all of them."])
    }

    static func badSubject(_ reason: String) -> PolicyError {
        PolicyError(
            code: .badSubject, reason: reason, hresult: .badRequestSubject,
            advice: ["Request again with a subject or alternative names that the template takes."])
    }

    static func userPrincipalNameUnavailable(_ caller: Principal) -> PolicyError {
        PolicyError(
            code: .userPrincipalNameUnavailable, reason: "no user principal name can be built for \(caller.name)",
            hresult: .subjectUPNRequired, facts: [Fact("user", caller.name)],
            advice: ["Set the user principal name suffix in the certification authority's configuration."])
    }

    static func overlapTooLong(_ template: CertificateTemplate) -> PolicyError {
        PolicyError(
            code: .overlapTooLong,
            reason: "the certification authority's own certificate lasts shorter than the "
                + "overlap period of template \(template.name)",
            hresult: .certTypeOverlap, facts: [Fact("template", template.name)],
            advice: ["Renew the certification authority's certificate, or shorten the template's overlap."],
            detail: "Renewing a certificate with the '\(template.displayName)' Certificate Template failed because the "
                + "renewal overlap period is longer than the certificate validity period.")
    }
}
