import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import TestSupport
import Testing

@Suite struct SignatureRequirementTests {
    static let agent = "1.3.6.1.4.1.311.20.2.1"
    static let issuance = "1.2.3.4"

    private static func question(
        _ change: (inout PolicyQuestion) -> Void
    ) async throws -> (PolicyQuestion, CertificateFields) {
        var template = TemplateSettingTests.plain
        template.requiredSignatures = .init(
            count: 1, applicationPolicies: [.certificateRequestAgent], issuancePolicies: [issuance])
        var fixtureTemplate = template
        fixtureTemplate.requiredSignatures = .init()
        let fixture = try await CAFixture(templates: [fixtureTemplate])
        let issued = try await fixture.submit(Requester().certificationRequest(template: "Test"))
        let certificate = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        var question = PolicyQuestion(
            caller: CAFixture.alice, template: template, subjectPublicKeyInfo: certificate.subjectPublicKeyInfo,
            carriesPrivateKey: false, now: Date(timeIntervalSince1970: TimeInterval(fixture.clock.now)),
            caNotAfter: .distantFuture)
        change(&question)
        return (question, certificate)
    }

    static func code(
        signers: [([String], [String])], _ change: (inout PolicyQuestion) -> Void = { _ in }
    ) async throws -> HRESULT {
        var (question, certificate) = try await self.question { _ in }
        question.signers = signers.map {
            RequestSigner(certificate: certificate, applicationPolicies: $0.0, issuancePolicies: $0.1)
        }
        change(&question)
        guard case .deny(let refusal) = try await EnterprisePolicy().evaluate(question) else { return .ok }
        return refusal.hresult
    }

    @Test("A request is denied unless enough agents with the right policies have signed it, with a code for each lack")
    func codes() async throws {
        let code = SignatureRequirementTests.code
        let (agent, issuance) = (SignatureRequirementTests.agent, SignatureRequirementTests.issuance)
        #expect(try await code([], { _ in }) == .signatureCount)
        #expect(try await code([([], [])], { _ in }) == .signaturePolicyRequired)
        #expect(try await code([(["1.3.6.1.5.5.7.3.2"], [issuance])], { _ in }) == .signatureRejected)
        #expect(try await code([([agent], [])], { _ in }) == .issuancePolicyRequired)
        #expect(try await code([([agent], [issuance])], { _ in }) == .ok)
        #expect(
            try await code([([agent], [issuance])], { $0.template.requiredSignatures.count = 2 }) == .signatureCount)
    }

    @Test("Only a template that lets agents and wants their signature takes requests for others")
    func onBehalfOf() async throws {
        let code = SignatureRequirementTests.code
        let signed = [([SignatureRequirementTests.agent], [SignatureRequirementTests.issuance])]
        #expect(try await code(signed, { $0.onBehalfOf = CAFixture.bob }) == .templateDenied)
        #expect(
            try await code(
                signed,
                {
                    $0.onBehalfOf = CAFixture.bob
                    $0.template.onBehalfOf = true
                    $0.template.requiredSignatures = .init()
                }) == .badRenewalSubject)
        #expect(
            try await code(
                signed,
                {
                    $0.onBehalfOf = CAFixture.bob
                    $0.template.onBehalfOf = true
                }) == .ok)
        // The right to enrol is that of whom the certificate is for.
        #expect(
            try await code(
                signed,
                {
                    $0.onBehalfOf = CAFixture.bob
                    $0.template.onBehalfOf = true
                    $0.template.permissions = TemplatePermission.enrolment([CAFixture.alice.name])
                }) == .templateDenied)
    }

    @Test("Where a previous approval suffices, a renewal needs neither signatures nor a manager")
    func previousApproval() async throws {
        var (question, certificate) = try await SignatureRequirementTests.question { _ in }
        question.template.pendAll = true
        question.renewedCertificate = certificate
        guard case .deny(let refusal) = try await EnterprisePolicy().evaluate(question) else {
            Issue.record("a renewal without signatures was let through")
            return
        }
        #expect(refusal.hresult == .signatureCount)
        question.template.previousApprovalSuffices = true
        #expect(try await EnterprisePolicy().evaluate(question) == .issue)
        // The certificate of another template is no approval.
        question.template.oid = "1.2.3.5"
        question.template.name = "Other"
        guard case .deny = try await EnterprisePolicy().evaluate(question) else {
            Issue.record("the approval of another template was taken")
            return
        }
        // Unless that is superseded.
        question.supersededIdentifiers = [TemplateSettingTests.plain.oid]
        #expect(try await EnterprisePolicy().evaluate(question) == .issue)
    }

    @Test("A template that renews for the same key only refuses another one")
    func sameKeyRenewal() async throws {
        var (question, certificate) = try await SignatureRequirementTests.question { _ in }
        question.template.requiredSignatures = .init()
        question.template.sameKeyRenewal = true
        question.renewedCertificate = certificate
        #expect(try await EnterprisePolicy().evaluate(question) == .issue)
        question.subjectPublicKeyInfo = try Requester().subjectPublicKeyInfo
        guard case .deny(let refusal) = try await EnterprisePolicy().evaluate(question) else {
            Issue.record("a renewal with another key was let through")
            return
        }
        #expect(refusal.code == .renewalKey)
    }

    @Test("What the configuration does with requests that no rule refuses is its own to say")
    func disposition() async throws {
        var (question, _) = try await SignatureRequirementTests.question { _ in }
        question.template.requiredSignatures = .init()
        #expect(try await EnterprisePolicy(disposition: .issue).evaluate(question) == .issue)
        #expect(try await EnterprisePolicy(disposition: .pend).evaluate(question) == .pend)
        guard case .deny(let refusal) = try await EnterprisePolicy(disposition: .deny).evaluate(question) else {
            Issue.record("a request was not denied")
            return
        }
        #expect(refusal.hresult == .adminDeniedRequest)
    }
}
