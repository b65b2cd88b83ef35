import Foundation
import PKIMessages
import TestSupport
import Testing
import X509

@testable import CertificateAuthority

@Suite struct RenewedNamesTests {
    @Test("A renewal keeps the names of the old certificate where the template says so, and only there")
    func names() async throws {
        let fixture = try await CAFixture()
        let old = try await fixture.issueWebServer()
        let request = try ReceivedRequest(
            derEncoded: Requester().certificationRequest(
                subject: "CN=other.example.test", dnsNames: ["other.example.test"]),
            attributes: RequestAttributes(""))
        var template = BuiltInTemplates.webServer
        func subject() throws -> CertificateSubject {
            try CertificateSubject.decide(
                .init(
                    template: template, request: request, requester: CAFixture.alice, entry: nil,
                    userPrincipalNameSuffix: nil, renewedCertificate: old))
        }
        #expect(try subject().alternativeNames == [.dnsName("other.example.test")])
        template.renewalKeepsNames = true
        #expect(try subject().subjectDER == old.subjectDER)
        #expect(try subject().alternativeNames == [.dnsName("www.example.test")])
    }
}
