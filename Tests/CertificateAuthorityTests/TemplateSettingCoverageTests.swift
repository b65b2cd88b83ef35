import Diagnostics
import Foundation
import PKIMessages
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import CertificateAuthority

/// That no setting of a template is without a test: each has an effect in a certificate, refuses a request, or is for clients
/// alone, and then changes nothing here and is told to them.
@Suite("Coverage of template settings")
struct TemplateSettingCoverageTests {
    /// Where the proof of a setting is.
    enum Proof {
        /// One of ``TemplateSettingTests/cases`` that changes the setting.
        case effect
        /// The same of ``TemplateSettingTests/refusals``.
        case refusal
        /// The same of ``clientSettings``.
        case client
        /// A test of its own, in this suite or the one that is named.
        case test(String)
    }

    /// Written out by hand, so that a new setting has to be put here.
    static let proofs: [CertificateTemplate.CodingKeys: [Proof]] = [
        .name: [.test("asking")], .displayName: [.test("asking")], .oid: [.test("asking")],
        .schemaVersion: [.effect], .majorVersion: [.effect, .test("EnrollmentTests")], .minorVersion: [.effect],
        .validity: [.effect], .overlap: [.refusal], .supersedes: [.test("superseded")], .subject: [.effect, .refusal],
        .subjectAlternativeName: [.effect, .refusal], .renewalKeepsNames: [.test("RenewedNamesTests")],
        .keyAlgorithms: [.effect, .refusal], .minimumKeyBits: [.refusal], .hashAlgorithms: [.refusal],
        .keyUsage: [.effect], .extendedKeyUsages: [.effect], .applicationPolicies: [.effect],
        .issuancePolicies: [.effect], .criticalExtensions: [.effect], .certificationAuthority: [.effect],
        .crossCertification: [.effect], .smimeCapabilities: [.effect], .addsTemplateName: [.effect],
        .machine: [.client], .pendAll: [.test("superseded")], .previousApprovalSuffices: [.test("superseded")],
        .requiredSignatures: [.refusal], .onBehalfOf: [.test("RequestFormTests")],
        .sameKeyRenewal: [.test("SignatureRequirementTests")], .archival: [.refusal],
        .autoenrollment: [.test("TemplateSettingTests")], .publication: [.client], .client: [.client],
        .permissions: [.refusal],
    ]

    @Test("Every setting has a proof, and the tables have it", arguments: CertificateTemplate.CodingKeys.allCases)
    func everySetting(_ key: CertificateTemplate.CodingKeys) throws {
        let proofs = try #require(Self.proofs[key], "no proof of \(key.rawValue)")
        for proof in proofs {
            let changes: [@Sendable (inout CertificateTemplate) -> Void] =
                switch proof {
                case .effect: TemplateSettingTests.cases.map(\.change)
                case .refusal: TemplateSettingTests.refusals.map(\.change)
                case .client: Self.clientSettings.map(\.change)
                case .test: []
                }
            if case .test = proof { continue }
            let before = try Self.text(of: key, in: TemplateSettingTests.plain)
            let isChanged = try changes.contains { change in
                var template = TemplateSettingTests.plain
                change(&template)
                return try Self.text(of: key, in: template) != before
            }
            #expect(isChanged, "no case changes \(key.rawValue)")
        }
    }

    private static func text(
        of key: CertificateTemplate.CodingKeys, in template: CertificateTemplate
    ) throws -> Data {
        let encoded = try JSONSerialization.jsonObject(with: JSONEncoder().encode(template)) as? [String: Any]
        return try JSONSerialization.data(withJSONObject: [encoded?[key.rawValue] ?? "(none)"], options: .sortedKeys)
    }

    struct ClientSetting: Sendable, CustomTestStringConvertible {
        let name: String
        /// The attribute of MS-CRTD by which clients learn of it.
        let attribute: String
        let change: @Sendable (inout CertificateTemplate) -> Void
        var testDescription: String { self.name }
    }

    static let clientSettings: [ClientSetting] = [
        ClientSetting(name: "machine", attribute: "flags") { $0.machine = true },
        ClientSetting(name: "publication.requester", attribute: "msPKI-Enrollment-Flag") {
            $0.publication.requester = true
        },
        ClientSetting(name: "publication.keyRecoveryAgents", attribute: "msPKI-Enrollment-Flag") {
            $0.publication.keyRecoveryAgents = true
        },
        ClientSetting(name: "client.exportableKey", attribute: "msPKI-Private-Key-Flag") {
            $0.client.exportableKey = true
        },
        ClientSetting(name: "client.strongKeyProtection", attribute: "msPKI-Private-Key-Flag") {
            $0.client.strongKeyProtection = true
        },
        ClientSetting(name: "client.alternateSignatureAlgorithm", attribute: "msPKI-Private-Key-Flag") {
            $0.client.alternateSignatureAlgorithm = true
        },
        ClientSetting(name: "client.userInteraction", attribute: "msPKI-Enrollment-Flag") {
            $0.client.userInteraction = true
        },
        ClientSetting(name: "client.removesInvalid", attribute: "msPKI-Enrollment-Flag") {
            $0.client.removesInvalid = true
        },
        ClientSetting(name: "client.checksDirectory", attribute: "msPKI-Enrollment-Flag") {
            $0.client.checksDirectory = true
        },
        ClientSetting(name: "client.keySpecification", attribute: "pKIDefaultKeySpec") {
            $0.client.keySpecification = .signature
        },
        ClientSetting(name: "client.providers", attribute: "pKIDefaultCSPs") {
            $0.client.providers = ["A Smart Card Provider"]
        },
    ]

    @Test("Every setting of a client and of publication is among those for clients")
    func everyClientSetting() {
        let inner =
            Mirror(reflecting: CertificateTemplate.ClientSettings()).children.compactMap(\.label).map { "client.\($0)" }
            + Mirror(reflecting: CertificateTemplate.DirectoryPublication()).children.compactMap(\.label)
            .map { "publication.\($0)" }
        #expect(Set(inner).isSubset(of: Self.clientSettings.map(\.name)))
    }

    @Test("A setting for clients is told to them, and changes nothing in a certificate", arguments: clientSettings)
    func clients(_ setting: ClientSetting) async throws {
        var changed = TemplateSettingTests.plain
        setting.change(&changed)
        #expect(changed != TemplateSettingTests.plain)
        let attributes = [TemplateSettingTests.plain, changed].map { template in
            Dictionary(uniqueKeysWithValues: TemplateBits(template).attributes.map { ($0.name, $0.values) })
        }
        let names = Set(attributes[0].keys).union(attributes[1].keys)
        #expect(names.filter { attributes[0][$0] != attributes[1][$0] } == [setting.attribute])
        #expect(try TemplateImport(TemplateBits(changed).ldif).template.client == changed.client)

        let requester = try Requester()
        var certificates: [CertificateFields] = []
        for template in [TemplateSettingTests.plain, changed] {
            let result = try await CAFixture(templates: [template]).submit(
                requester.certificationRequest(template: "Test"))
            certificates.append(try CertificateFields(derEncoded: result.certificateDER ?? []))
        }
        // But for the key of the one and the other authority.
        let extensions = certificates.map { fields in fields.extensions.filter { $0.oid != [2, 5, 29, 35] } }
        #expect(extensions[0] == extensions[1])
        #expect(certificates[0].subjectDER == certificates[1].subjectDER)
        #expect(certificates[0].notBefore == certificates[1].notBefore)
        #expect(certificates[0].notAfter == certificates[1].notAfter)
    }

    @Test(
        "A template is asked for by its name, in any case, by its display name and by its identifier",
        arguments: ["Test", "tEST", "Long Name", "1.3.6.1.4.1.311.21.8.1.2.3", "Elsewhere"])
    func asking(text: String) async throws {
        var template = TemplateSettingTests.plain
        template.displayName = "Long Name"
        let fixture = try await CAFixture(templates: [template])
        let result = try await fixture.submit(
            Requester().certificationRequest(), attributes: "CertificateTemplate:\(text)")
        #expect(result.statusCode == (text == "Elsewhere" ? .unsupportedCertType : .ok))
        guard let certificate = result.certificateDER else { return }
        let fields = try CertificateFields(derEncoded: certificate)
        #expect(
            try ExtensionDecoding(fields.extensions).microsoftTemplate()?.oid == [
                1, 3, 6, 1, 4, 1, 311, 21, 8, 1, 2, 3,
            ])
    }

    @Test(
        "A certificate of a superseded template is the earlier approval of its successor's renewal, and no other one is"
    )
    func superseded() async throws {
        for (supersedes, isIssued) in [(["Old"], true), (["Other"], false), ([], false)] {
            var (old, new) = (TemplateSettingTests.plain, TemplateSettingTests.plain)
            (old.name, old.oid) = ("Old", "1.3.6.1.4.1.311.21.8.1.2.4")
            new.pendAll = true
            new.previousApprovalSuffices = true
            new.supersedes = supersedes
            let fixture = try await CAFixture(templates: [old, new])
            let holder = try await fixture.enroll(Requester(), template: "Old")
            let request = try Requester().certificationRequest(
                template: "Test", attributes: [Requester.renewing(holder.certificate)])
            let result = try await fixture.submit(Requester.pkcs7(around: request, by: holder))
            #expect(result.disposition == (isIssued ? .issued : .pending), "\(supersedes)")
        }
    }
}
