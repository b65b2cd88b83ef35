import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SwiftASN1
import TestSupport
import Testing
import X509

/// A policy program that answers with a fixed text, and keeps the question.
private struct Scripted: PolicyProgram {
    var name: String { "scripted" }
    var answer: String
    var seen: @Sendable ([UInt8]) -> Void = { _ in }

    func answer(to question: [UInt8]) async throws -> [UInt8] {
        self.seen(question)
        return Array(self.answer.utf8)
    }
}

@Suite struct PolicyModuleTests {
    private static func submit(
        _ answer: String, template: CertificateTemplate = BuiltInTemplates.webServer, mayIssuePending: Bool = false
    ) async throws -> (CAFixture, EnrollmentResult) {
        let fixture = try await CAFixture(
            templates: [template],
            policy: ProgramPolicy(
                base: EnterprisePolicy(), program: Scripted(answer: answer), mayIssuePending: mayIssuePending))
        let request = try Requester(.rsa(bits: 2048)).certificationRequest(
            template: template.name, dnsNames: ["a.example.test", "b.example.test"])
        return (fixture, try await fixture.submit(request))
    }

    @Test("A program issues, lets wait, and denies with its own words")
    func verdicts() async throws {
        #expect(try await PolicyModuleTests.submit(#"{"verdict": "issue"}"#).1.disposition == .issued)
        #expect(try await PolicyModuleTests.submit(#"{"verdict": "pend"}"#).1.disposition == .pending)
        let denied = try await PolicyModuleTests.submit(#"{"verdict": "deny", "text": "Not on a Sunday."}"#).1
        #expect(denied.disposition == .denied)
        #expect(denied.dispositionMessage == "Denied by Policy Module  0x80094014, Not on a Sunday.")
    }

    @Test("A program takes usages, names and time away")
    func restriction() async throws {
        let (_, result) = try await PolicyModuleTests.submit(
            """
            {"verdict": "issue", "restrict": {"keyUsage": ["digitalSignature"],
             "subjectAlternativeNames": ["dns:b.example.test"], "notAfter": "2026-06-01T00:00:00Z"}}
            """)
        #expect(result.dispositionMessage == "Issued")
        let fields = try CertificateFields(derEncoded: result.certificateDER ?? [])
        #expect(fields.keyUsage == KeyUsage(digitalSignature: true))
        #expect(try ExtensionDecoding(fields.extensions).subjectAlternativeNames() == [.dnsName("b.example.test")])
        #expect(fields.notAfter <= Date(timeIntervalSince1970: 1_780_272_000))
    }

    static let wrongAnswers: [String] = [
        #"{"verdict": "issue", "restrict": {"extendedKeyUsages": ["codeSigning"]}}"#,
        #"{"verdict": "issue", "restrict": {"keyUsage": ["keyCertSign"]}}"#,
        #"{"verdict": "issue", "restrict": {"subjectAlternativeNames": ["dns:evil.test"]}}"#,
        #"{"verdict": "issue", "restrict": {"issuancePolicies": ["1.2.3"]}}"#,
        #"{"verdict": "pend", "restrict": {"keyUsage": []}}"#, #"{"verdict": "yes"}"#,
        #"{"verdict": "issue", "also": 1}"#,
        "", "issue", "[]", #"{"verdict": "issue"} {"verdict": "deny"}"#,
    ]

    @Test(
        "An answer that would give more, or is none, fails the request, and nothing is signed", arguments: wrongAnswers)
    func wrongAnswer(_ answer: String) async throws {
        let (fixture, result) = try await PolicyModuleTests.submit(answer)
        #expect(result.disposition == .error)
        #expect(result.failure is PolicyModuleError)
        #expect(result.certificateDER == nil)
        #expect(fixture.token.calls == 1)
    }

    @Test("What the built-in module lets wait, a program issues only where it may; what it denies is never asked")
    func base() async throws {
        var template = BuiltInTemplates.webServer
        template.pendAll = true
        let issue = #"{"verdict": "issue"}"#
        #expect(try await PolicyModuleTests.submit(issue, template: template).1.disposition == .pending)
        #expect(
            try await PolicyModuleTests.submit(issue, template: template, mayIssuePending: true).1.disposition
                == .issued)
        template.permissions = []
        #expect(try await PolicyModuleTests.submit(issue, template: template).1.statusCode == .templateDenied)
    }

    @Test("A stand-alone CA lets every request wait, and copies the extensions of its list and no other")
    func standalone() async throws {
        let fixture = try await CAFixture(policy: StandalonePolicy())
        let extra = Certificate.Extension(oid: [1, 2, 3, 4, 5], critical: false, value: [0x05, 0x00])
        let request = try Requester(.rsa(bits: 2048)).certificationRequest(
            dnsNames: ["a.example.test"],
            extensions: [
                ExtensionEncoding.keyUsage(KeyUsage(digitalSignature: true, keyEncipherment: true)),
                ExtensionEncoding.extendedKeyUsage([OID.serverAuth]),
                ExtensionEncoding.microsoftTemplateName("Whatever"), TemplateSettingTests.smime, extra,
            ])
        let pending = try await fixture.submit(request)
        #expect(pending.disposition == .pending)
        let issued = try await fixture.authority.approve(request: pending.requestID, by: CAFixture.manager)
        #expect(issued.disposition == .issued)
        let fields = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        let found = ExtensionDecoding(fields.extensions)
        #expect(fields.keyUsage == KeyUsage(digitalSignature: true, keyEncipherment: true))
        #expect(fields.extendedKeyUsages == [OID.serverAuth])
        #expect(try found.microsoftTemplateName() == "Whatever")
        #expect(found[CarriedExtensions.smimeCapabilities] != nil)
        #expect(found[[1, 2, 3, 4, 5]] == nil)
        #expect(try found.subjectAlternativeNames() == [.dnsName("a.example.test")])
        #expect(try found.microsoftTemplate() == nil)
    }

    @Test("A stand-alone CA signs no certificate with which an end entity could sign others, or take an account")
    func standaloneLimits() async throws {
        let fixture = try await CAFixture(policy: StandalonePolicy(disposition: .issue))
        let signing = try await fixture.submit(
            Requester().certificationRequest(extensions: [ExtensionEncoding.keyUsage(KeyUsage(keyCertSign: true))]))
        #expect(signing.disposition == .denied)
        let account = try await fixture.submit(
            Requester().certificationRequest(alternativeNames: [.userPrincipalName("administrator@example.test")]))
        #expect(account.statusCode == .badRequestSubject)
        let below = try Requester().certificationRequest(subject: "CN=Below", template: "SubCA")
        #expect(try await fixture.submit(below).statusCode == .templateDenied)
        let authority = try await fixture.submit(below, by: CAFixture.administrator)
        let fields = try CertificateFields(derEncoded: authority.certificateDER ?? [])
        #expect(fields.basicConstraints == .isCertificateAuthority(maxPathLength: nil))
    }

    @Test("Attributes choose validity, usage and names only where the settings let them")
    func attributes() async throws {
        let attributes = """
            CertificateTemplate:WebServer
            ExpirationDate:Sat, 01 Aug 2026 00:00:00 GMT
            SAN:dns=c.example.test&ipaddress=10.0.0.1&email=a@example.test&url=https://x.test/
            """
        func fields(_ settings: PolicySettings, _ attributes: String) async throws -> CertificateFields {
            let fixture = try await CAFixture(templates: [BuiltInTemplates.webServer]) { $0.policy = settings }
            let result = try await fixture.submit(Requester().certificationRequest(), attributes: attributes)
            return try CertificateFields(derEncoded: result.certificateDER ?? [])
        }
        let ignored = try await fields(PolicySettings(), attributes)
        #expect(ignored.notAfter > Date(timeIntervalSince1970: 1_785_542_400))
        #expect(try ExtensionDecoding(ignored.extensions).subjectAlternativeNames().isEmpty)
        let taken = try await fields(
            PolicySettings(takesAttributeValidity: true, takesAttributeNames: true), attributes)
        #expect(taken.notAfter == Date(timeIntervalSince1970: 1_785_542_400))
        #expect(try ExtensionDecoding(taken.extensions).subjectAlternativeNames().count == 4)
        let short = try await fields(
            PolicySettings(takesAttributeValidity: true),
            "CertificateTemplate:WebServer\nValidityPeriod:Weeks\nValidityPeriodUnits:3")
        #expect(Int(short.notAfter.timeIntervalSince(short.notBefore)) == 21 * 86400 + 600)
    }

    @Test("An attribute that cannot be read, or names an account, denies the request")
    func badAttributes() async throws {
        let settings = PolicySettings(
            takesAttributeValidity: true, takesAttributeUsage: true, takesAttributeNames: true)
        let fixture = try await CAFixture(templates: [BuiltInTemplates.webServer]) { $0.policy = settings }
        for attribute in [
            "ExpirationDate:tomorrow", "ExpirationDate:Sat, 01 Aug 2009 00:00:00 GMT", "ValidityPeriod:Moons",
            "SAN:upn=administrator@example.test", "SAN:dns", "SAN:ipaddress=300.1.1.1", "CertificateUsage:nothing",
        ] {
            let result = try await fixture.submit(
                Requester().certificationRequest(), attributes: "CertificateTemplate:WebServer\n\(attribute)")
            #expect(result.disposition == .denied, Comment(rawValue: attribute))
            #expect((result.failure as? PolicyError)?.code == .badAttribute)
        }
    }
}
