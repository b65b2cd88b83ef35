import CertificateAuthority
import Diagnostics
import PKIMessages
import Synchronization
import Testing

/// Lets every request through, after something was done while it was being decided.
private struct InterruptedPolicy: PolicyModule {
    final class Interruption: Sendable {
        let action = Mutex<(@Sendable () throws -> Void)?>(nil)
    }

    let interruption: Interruption

    func evaluate(_ question: PolicyQuestion) async throws -> PolicyVerdict {
        let action = self.interruption.action.withLock { action in
            defer { action = nil }
            return action
        }
        try action?()
        return .issue
    }
}

@Suite("Templates that change while the CA runs")
struct TemplateReplacementTests {
    private static func version(of result: EnrollmentResult) throws -> (major: Int?, purposes: Int) {
        let fields = try CertificateFields(derEncoded: result.certificateDER ?? [])
        let template = try ExtensionDecoding(fields.extensions).microsoftTemplate()
        return (template?.majorVersion, fields.extendedKeyUsages.count)
    }

    @Test("A request is issued by the version with which its decision began, the next one by the new version")
    func oneVersion() async throws {
        var old = BuiltInTemplates.webServer
        old.schemaVersion = 2
        var new = old
        new.majorVersion += 1
        new.extendedKeyUsages.append(.clientAuth)
        let interruption = InterruptedPolicy.Interruption()
        let fixture = try await CAFixture(
            templates: [old], policy: InterruptedPolicy(interruption: interruption))
        let authority = fixture.authority
        interruption.action.withLock { [new] in $0 = { try authority.replaceTemplates([new]) } }
        let request = try Requester().certificationRequest(template: "WebServer", dnsNames: ["www.example.test"])
        #expect(try await Self.version(of: fixture.submit(request)) == (old.majorVersion, 1))
        #expect(try await Self.version(of: fixture.submit(request)) == (new.majorVersion, 2))
    }

    @Test("Templates that cannot be used are refused, and those in place stay; one that is gone is not issued from")
    func refused() async throws {
        let fixture = try await CAFixture()
        let twice = [BuiltInTemplates.webServer, BuiltInTemplates.webServer]
        let error = #expect(throws: IssuanceError.self) { try fixture.authority.replaceTemplates(twice) }
        #expect(error?.code == .invalidConfiguration)
        _ = try await fixture.issueWebServer()
        try fixture.authority.replaceTemplates([BuiltInTemplates.user])
        let request = try Requester().certificationRequest(template: "WebServer", dnsNames: ["www.example.test"])
        #expect(try await fixture.submit(request).statusCode == .unsupportedCertType)
    }
}
