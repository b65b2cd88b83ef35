import Diagnostics

/// What a template wants of a request and its requester.
extension PolicyError {
    static func emailUnavailable(_ requester: Principal) -> PolicyError {
        self.nameUnavailable("mail address", requester, .subjectEmailRequired)
    }

    static func dnsNameUnavailable(_ requester: Principal) -> PolicyError {
        self.nameUnavailable("DNS name", requester, .subjectDNSRequired)
    }

    static func directoryGUIDUnavailable(_ requester: Principal) -> PolicyError {
        self.nameUnavailable("directory identifier", requester, .subjectDirectoryGUIDRequired)
    }

    static func servicePrincipalNameUnavailable(_ requester: Principal) -> PolicyError {
        self.nameUnavailable("service principal name", requester, .subjectAltNameRequired)
    }

    static func directoryNameUnavailable(_ requester: Principal) -> PolicyError {
        self.nameUnavailable("distinguished name", requester, .badRequestSubject)
    }

    private static func nameUnavailable(_ what: String, _ requester: Principal, _ code: HRESULT) -> PolicyError {
        PolicyError(
            code: .nameUnavailable, reason: "the directory has no \(what) for \(requester.name)", hresult: code,
            facts: [Fact("user", requester.name)],
            advice: [Advice("Enter the \(what) of the user into the instance's directory.yaml.")])
    }

    static func keyNotAllowed(_ kind: String, _ template: CertificateTemplate) -> PolicyError {
        PolicyError(
            code: .algorithmNotAllowed, reason: "template \(template.name) takes no key of the kind \(kind)",
            hresult: .badKey,
            facts: [
                Fact("kind", kind), Fact("allowed", template.keyAlgorithms.map(\.rawValue).joined(separator: ", ")),
            ],
            advice: ["Make a key of a kind that the template allows and request again."])
    }

    static func hashNotAllowed(_ hash: String, _ template: CertificateTemplate) -> PolicyError {
        PolicyError(
            code: .algorithmNotAllowed,
            reason: "the request is signed with \(hash), and template \(template.name) does not take that",
            hresult: .badAlgorithm,
            facts: [
                Fact("hash", hash), Fact("allowed", template.hashAlgorithms.map(\.rawValue).joined(separator: ", ")),
            ],
            advice: ["Sign the request with a hash that the template allows."])
    }

    /// - Parameter code: 0x80094808 to 0x8009480C.
    static func signatures(_ reason: String, _ template: CertificateTemplate, _ code: HRESULT) -> PolicyError {
        PolicyError(
            code: .signatures, reason: reason, hresult: code, facts: [Fact("template", template.name)],
            advice: [
                Advice(
                    "Have the request signed by as many agents as the template wants, with certificates that have the "
                        + "policies it names.")
            ])
    }

    static func onBehalfOf(_ reason: String, _ template: CertificateTemplate, _ code: HRESULT) -> PolicyError {
        PolicyError(
            code: .onBehalfOf, reason: reason, hresult: code, facts: [Fact("template", template.name)],
            advice: ["Use a template that lets enrolment agents ask for others and requires their signature."])
    }

    static func renewalKey(_ template: CertificateTemplate) -> PolicyError {
        PolicyError(
            code: .renewalKey,
            reason: "template \(template.name) renews certificates for the same key only, and the "
                + "request has another key",
            hresult: .badKey, facts: [Fact("template", template.name)],
            advice: ["Request the renewal with the key of the certificate that is renewed."])
    }

    static func badAttribute(_ name: String, _ value: String) -> PolicyError {
        PolicyError(
            code: .badAttribute, reason: "the request attribute \(name) cannot be read", hresult: .invalidData,
            facts: [Fact("attribute", name), Fact("value", String(value.prefix(200)))],
            advice: ["Correct the attribute, or leave it away."])
    }

    static func deniedByDefault() -> PolicyError {
        PolicyError(
            code: .deniedByDefault, reason: "this certification authority is set to deny what it is asked for",
            hresult: .adminDeniedRequest,
            advice: ["Change policy.request-disposition in signet.yaml when requests are to be taken again."])
    }

    /// - Parameter text: the program's own words, for the requester.
    package static func deniedByProgram(_ text: String) -> PolicyError {
        PolicyError(
            code: .deniedByProgram, reason: "the policy program refused it", hresult: .adminDeniedRequest,
            facts: [Fact("answer", text)], advice: ["Ask whoever is responsible for the policy program."],
            detail: text)
    }

    /// One of the templates to be enabled is not there.
    package static func unknownTemplate(_ name: String) -> PolicyError {
        PolicyError(
            code: .unsupportedTemplate, reason: "there is no template \"\(name)\" to be enabled",
            hresult: .unknownCertType, facts: [Fact("template", name)],
            advice: ["Choose one of `signet template list`."])
    }
}
