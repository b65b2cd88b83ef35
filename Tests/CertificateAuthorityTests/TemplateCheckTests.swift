import CertificateAuthority
import Foundation
import Testing

@Suite struct TemplateCheckTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    private static func check(
        _ template: CertificateTemplate, _ change: (inout TemplateCheck.Surroundings) -> Void = { _ in }
    ) -> [TemplateCheck.Problem] {
        var surroundings = TemplateCheck.Surroundings(
            now: now, caNotAfter: now.addingTimeInterval(10 * 365 * 86400), maximumValidity: 5 * 365 * 86400,
            userPrincipalNameSuffix: "example.test", hasDirectory: true, recoveryAgents: 1, enabled: [template.name],
            templates: [template])
        change(&surroundings)
        return TemplateCheck(surroundings).problems()
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var id: String
        var template: @Sendable (inout CertificateTemplate) -> Void = { _ in }
        var surroundings: @Sendable (inout TemplateCheck.Surroundings) -> Void = { _ in }
        var testDescription: String { self.id }
    }

    static let cases: [Case] = [
        Case(id: "ca-shorter-than-overlap", surroundings: { $0.caNotAfter = $0.now.addingTimeInterval(86400) }),
        Case(id: "overlap-longer-than-validity", template: { $0.validity = .days(1) }),
        Case(id: "validity-cut", template: { $0.validity = .years(9) }),
        Case(
            id: "provider-against-key-usage",
            template: {
                $0.keyUsage = [.keyEncipherment]
                $0.client.keySpecification = .signature
            }),
        Case(
            id: "algorithm-against-key-usage",
            template: {
                $0.keyUsage = [.keyEncipherment]
                $0.keyAlgorithms = [.p256]
            }),
        Case(
            id: "exportable-key-on-card",
            template: {
                $0.client.exportableKey = true
                $0.client.providers = ["Microsoft Base Smart Card Crypto Provider"]
            }),
        Case(id: "archival-of-signature-key", template: { $0.archival = .required }),
        Case(
            id: "archival-without-agent",
            template: {
                $0.archival = .required
                $0.keyUsage = [.keyEncipherment]
            }, surroundings: { $0.recoveryAgents = 0 }),
        Case(id: "nobody-may-enrol", template: { $0.permissions = [] }),
        Case(
            id: "autoenroll-without-enroll",
            template: {
                $0.autoenrollment = true
                $0.subject = .fromRequester
                $0.permissions = [
                    TemplatePermission("x", allow: [.read, .enroll]), TemplatePermission("y", allow: [.autoenroll]),
                ]
            }),
        Case(
            id: "autoenroll-off",
            template: { $0.permissions = [TemplatePermission("x", allow: [.read, .enroll, .autoenroll])] }),
        Case(
            id: "autoenrollment-with-chosen-subject",
            template: {
                $0.autoenrollment = true
                $0.permissions = [TemplatePermission("x", allow: [.read, .enroll, .autoenroll])]
            }),
        Case(
            id: "no-principal-names", template: { $0.subjectAlternativeName = .userPrincipalName },
            surroundings: {
                $0.userPrincipalNameSuffix = nil
                $0.hasDirectory = false
            }),
        Case(
            id: "no-directory", template: { $0.subject = .built([.email]) }, surroundings: { $0.hasDirectory = false }),
        Case(id: "no-names", template: { $0.subject = .built([]) }),
        Case(id: "chosen-subject-authenticates", template: { $0.extendedKeyUsages = [.clientAuth] }),
        Case(id: "signatures-without-policy", template: { $0.requiredSignatures.count = 1 }),
        Case(id: "on-behalf-without-signature", template: { $0.onBehalfOf = true }),
        Case(id: "enabled-template-missing", surroundings: { $0.enabled.append("Gone") }),
        Case(id: "no-templates", surroundings: { $0.enabled = [] }),
        Case(
            id: "superseded-still-enabled", template: { $0.supersedes = ["Old"] },
            surroundings: { surroundings in
                var old = TemplateSettingTests.plain
                old.name = "Old"
                surroundings.templates.append(old)
                surroundings.enabled.append("Old")
            }),
    ]

    @Test("Each problem is found, alone, with a remedy", arguments: cases)
    func problem(_ example: Case) {
        var template = TemplateSettingTests.plain
        example.template(&template)
        let found = TemplateCheckTests.check(template, example.surroundings)
        #expect(found.map(\.id) == [example.id])
        #expect(found.allSatisfy { $0.remedy.hasSuffix(".") && !$0.text.isEmpty })
    }

    @Test("A sound template has no problems")
    func sound() {
        #expect(TemplateCheckTests.check(TemplateSettingTests.plain).isEmpty)
    }
}
