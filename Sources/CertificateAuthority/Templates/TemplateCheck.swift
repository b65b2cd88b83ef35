package import Foundation
import PKIMessages

/// Looks for the problems of templates that Windows Server 2003 lists under "Troubleshooting", and for others that only
/// show when somebody enrols.
package struct TemplateCheck: Sendable {
    package struct Problem: Sendable, Equatable {
        package enum Severity: String, Sendable, Codable {
            /// Requests by the template fail, or do not do what it says.
            case error
            case warning
        }

        /// Stable, such as `archival-of-signature-key`.
        package var id: String
        package var severity: Severity
        package var template: String
        package var text: String
        /// What to do, in a sentence.
        package var remedy: String
    }

    /// What surrounds the templates.
    package struct Surroundings: Sendable {
        package var now: Date
        /// `nil` while the CA has no certificate.
        package var caNotAfter: Date?
        package var maximumValidity: TimeInterval
        package var userPrincipalNameSuffix: String?
        package var hasDirectory: Bool
        /// How many key recovery agents may be used.
        package var recoveryAgents: Int
        /// Names of the templates that the CA issues from.
        package var enabled: [String]
        /// Templates as the running service has them, by name with their version; `nil` when none runs.
        package var templates: [CertificateTemplate]

        package init(
            now: Date, caNotAfter: Date?, maximumValidity: TimeInterval, userPrincipalNameSuffix: String?,
            hasDirectory: Bool, recoveryAgents: Int, enabled: [String], templates: [CertificateTemplate]
        ) {
            self.now = now
            self.caNotAfter = caNotAfter
            self.maximumValidity = maximumValidity
            self.userPrincipalNameSuffix = userPrincipalNameSuffix
            self.hasDirectory = hasDirectory
            self.recoveryAgents = recoveryAgents
            self.enabled = enabled
            self.templates = templates
        }
    }

    private let surroundings: Surroundings

    package init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
    }

    /// Problems of the list as a whole and of each enabled template.
    package func problems() -> [Problem] {
        let names = Set(self.surroundings.templates.map { $0.name.lowercased() })
        let missing = self.surroundings.enabled.filter { !names.contains($0.lowercased()) }.map { name in
            Problem(
                id: "enabled-template-missing", severity: .error, template: name,
                text: "the template is enabled, and there is no file of it (0x80094813)",
                remedy: "Run `signet template disable \(name)`, or put the file back.")
        }
        let enabled = Set(self.surroundings.enabled.map { $0.lowercased() })
        let looked = self.surroundings.templates.filter { enabled.contains($0.name.lowercased()) }
        let none =
            looked.isEmpty && missing.isEmpty
            ? [
                Problem(
                    id: "no-templates", severity: .error, template: "(all)", text: "no template is enabled",
                    remedy: "Run `signet template enable` with the names of templates.")
            ] : []
        return none + missing + looked.flatMap(self.problems(of:))
    }

    /// Problems of one template.
    package func problems(of template: CertificateTemplate) -> [Problem] {
        let rules = [
            self.lifetime, self.keys, self.archival, self.enrolment, self.names, self.signatures, self.history,
        ]
        return rules.flatMap { $0(template) }
    }

    private func problem(
        _ id: String, _ template: CertificateTemplate, _ text: String, _ remedy: String,
        _ severity: Problem.Severity = .error
    ) -> Problem {
        Problem(id: id, severity: severity, template: template.name, text: text, remedy: remedy)
    }

    /// "Certificates are not being issued to clients."
    private func lifetime(_ template: CertificateTemplate) -> [Problem] {
        var found: [Problem] = []
        if let end = self.surroundings.caNotAfter,
            end.timeIntervalSince(self.surroundings.now) < template.overlap.timeInterval
        {
            found.append(
                self.problem(
                    "ca-shorter-than-overlap", template,
                    "the CA certificate lasts shorter than the overlap of \(template.overlap): nothing is issued "
                        + "(0x80094814)", "Renew the CA certificate."))
        }
        if template.overlap.timeInterval > min(template.validity.timeInterval, self.surroundings.maximumValidity) {
            found.append(
                self.problem(
                    "overlap-longer-than-validity", template,
                    "the overlap of \(template.overlap) is longer than certificates are valid",
                    "Shorten the overlap, or lengthen the validity."))
        }
        if template.validity.timeInterval > self.surroundings.maximumValidity {
            found.append(
                self.problem(
                    "validity-cut", template, "certificates get less than the validity of \(template.validity)",
                    "Raise certificates.maximum-validity-days in signet.yaml, or shorten the validity.", .warning))
        }
        return found
    }

    /// "Certificates are issued to subjects, but cryptographic operations with those certificates fail", and "The private
    /// key cannot be exported from smart card certificates".
    private func keys(_ template: CertificateTemplate) -> [Problem] {
        var found: [Problem] = []
        let encrypts = template.keyUsage.contains { $0.needsEncryptingKey }
        if encrypts, template.client.keySpecification == .signature {
            found.append(
                self.problem(
                    "provider-against-key-usage", template,
                    "the key usage names encryption, and the client is told to make a key that only signs",
                    "Set client.keySpecification to exchange, or take the encryption out of keyUsage."))
        }
        if encrypts, !template.keyAlgorithms.isEmpty, !template.keyAlgorithms.contains(.rsa) {
            found.append(
                self.problem(
                    "algorithm-against-key-usage", template,
                    "the key usage names encryption, and none of the allowed kinds of key can encrypt",
                    "Add rsa to keyAlgorithms, or take the encryption out of keyUsage."))
        }
        let isForCards =
            template.extendedKeyUsages.contains(.smartCardLogon)
            || template.client.providers.contains { $0.lowercased().contains("smart card") }
        if isForCards, template.client.exportableKey {
            found.append(
                self.problem(
                    "exportable-key-on-card", template, "a smart card does not give its private key away",
                    "Set client.exportableKey to false.", .warning))
        }
        return found
    }

    /// "The private key is not being archived."
    private func archival(_ template: CertificateTemplate) -> [Problem] {
        guard template.archival == .required else { return [] }
        var found: [Problem] = []
        if template.isForSignaturesOnly {
            found.append(
                self.problem(
                    "archival-of-signature-key", template,
                    "keys are not archived, because the key usage is for signatures only",
                    "Set archival to none, or add keyEncipherment to keyUsage."))
        }
        if self.surroundings.recoveryAgents == 0 {
            found.append(
                self.problem(
                    "archival-without-agent", template, "keys cannot be archived: there is no key recovery agent",
                    "Enrol one with `signet kra enroll` and add it with `signet kra add`."))
        }
        return found
    }

    /// "Clients are unable to obtain certificates via autoenrollment."
    private func enrolment(_ template: CertificateTemplate) -> [Problem] {
        var found: [Problem] = []
        let enrols = template.permissions.contains { !Set($0.allow).isDisjoint(with: [.enroll, .fullControl]) }
        if !enrols, template.name != BuiltInTemplates.caExchange.name {
            found.append(
                self.problem(
                    "nobody-may-enrol", template, "nobody may enrol (0x80094012)",
                    "Add an entry to permissions that allows read and enroll.", .warning))
        }
        for entry in template.permissions {
            let autoenrols = entry.allow.contains(.autoenroll)
            let lacksOther =
                autoenrols && !entry.allow.contains(.fullControl)
                && !Set<TemplateRight>([.read, .enroll]).isSubset(of: entry.allow)
            if lacksOther {
                found.append(
                    self.problem(
                        "autoenroll-without-enroll", template,
                        "\(entry.principal) may autoenrol, and not read and enrol as well",
                        "Allow read, enroll and autoenroll together."))
            }
            if autoenrols, !template.autoenrollment {
                found.append(
                    self.problem(
                        "autoenroll-off", template, "\(entry.principal) may autoenrol, and the template does not",
                        "Set autoenrollment to true."))
            }
        }
        if template.autoenrollment, template.subject == .fromRequest, !template.renewalKeepsNames,
            !template.permissions.isEmpty, template.permissions.contains(where: { $0.allow.contains(.autoenroll) })
        {
            found.append(
                self.problem(
                    "autoenrollment-with-chosen-subject", template,
                    "a program that enrols by itself has no subject to ask for",
                    "Build the subject from the requester, or set renewalKeepsNames to true."))
        }
        return found
    }

    private func names(_ template: CertificateTemplate) -> [Problem] {
        var found: [Problem] = []
        let alternative = template.subjectAlternativeName
        if alternative.contains(.userPrincipalName), self.surroundings.userPrincipalNameSuffix == nil,
            !self.surroundings.hasDirectory
        {
            found.append(
                self.problem(
                    "no-principal-names", template, "no user principal name can be built (0x8009480d)",
                    "Set certificates.upn-suffix in signet.yaml, or enter the names into directory.yaml."))
        }
        let fromDirectory = alternative.parts.contains { ![.fromRequest, .userPrincipalName].contains($0) }
        let subjectParts: [SubjectRule.Part] = if case .built(let parts) = template.subject { parts } else { [] }
        if fromDirectory || subjectParts.contains(where: { $0 != .commonName }), !self.surroundings.hasDirectory {
            found.append(
                self.problem(
                    "no-directory", template,
                    "names are built from a directory, and the instance has no directory.yaml",
                    "Write directory.yaml with the requesters' names: docs/templates.md."))
        }
        if subjectParts.isEmpty, template.subject != .fromRequest, alternative == .none {
            found.append(
                self.problem(
                    "no-names", template,
                    "certificates would have neither a subject nor alternative names (0x80094001)",
                    "Choose a subject or alternative names."))
        }
        if template.subject == .fromRequest,
            template.extendedKeyUsages.contains(where: { [.clientAuth, .smartCardLogon, .anyPurpose].contains($0) }),
            !template.pendAll, template.requiredSignatures.count == 0
        {
            found.append(
                self.problem(
                    "chosen-subject-authenticates", template,
                    "whoever may enrol can choose a name and authenticate with it, and nobody looks",
                    "Build the subject from the requester, or set pendAll to true.", .warning))
        }
        return found
    }

    private func signatures(_ template: CertificateTemplate) -> [Problem] {
        let required = template.requiredSignatures
        var found: [Problem] = []
        if required.count > 0, required.applicationPolicies.isEmpty, required.issuancePolicies.isEmpty {
            found.append(
                self.problem(
                    "signatures-without-policy", template,
                    "signatures are required, and it is not said of whom (0x80094808)",
                    "Name application or issuance policies in requiredSignatures."))
        }
        if template.onBehalfOf, required.count == 0 {
            found.append(
                self.problem(
                    "on-behalf-without-signature", template,
                    "agents may ask for others, and no signature is required (0x80094806)",
                    "Set requiredSignatures.count to 1 with the application policy certificateRequestAgent."))
        }
        return found
    }

    /// "Some certification authorities still have the unmodified version", and certificates that are renewed twice.
    private func history(_ template: CertificateTemplate) -> [Problem] {
        let enabled = Set(self.surroundings.enabled.map { $0.lowercased() })
        return template.supersedes.filter { enabled.contains($0.lowercased()) }.map { name in
            self.problem(
                "superseded-still-enabled", template, "the template \(name) that it supersedes is still enabled",
                "Run `signet template disable \(name)`.", .warning)
        }
    }
}
