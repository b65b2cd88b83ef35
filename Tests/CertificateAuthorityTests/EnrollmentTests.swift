import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import TestSupport
import Testing
import X509

@Suite struct EnrollmentTests {
    @Test("A web server's request is issued with the names it asks for")
    func issue() async throws {
        let fixture = try await CAFixture()
        let requester = try Requester()
        let result = try await fixture.submit(
            requester.certificationRequest(dnsNames: ["www.example.test"]),
            attributes: "CertificateTemplate:WebServer\r\nSAN:upn=administrator@example.test\r\nChallenge:swordfish")
        #expect(result.disposition == .issued)
        #expect(result.statusCode == .ok)
        #expect(result.dispositionMessage == "Issued")
        let fields = try CertificateFields(derEncoded: result.certificateDER ?? [])
        #expect(fields.isSigned(by: fixture.token.subjectPublicKeyInfo))
        #expect(fields.subjectPublicKeyInfo == requester.subjectPublicKeyInfo)
        #expect(DistinguishedNameText.text(of: fields.subject) == "CN=www.example.test")
        #expect(fields.extendedKeyUsages == [OID.serverAuth])
        let extensions = ExtensionDecoding(fields.extensions)
        #expect(try extensions.subjectAlternativeNames() == [.dnsName("www.example.test")])
        #expect(try extensions.microsoftTemplateName() == "WebServer")
        #expect(try extensions.crlDistributionPointURLs() == ["http://pki.example.test/Example%20CA.crl"])
        // An elliptic-curve key gets no key encipherment (RFC 8813, section 3).
        #expect(fields.keyUsage == KeyUsage(digitalSignature: true))
        #expect(fields.notBefore == Date(timeIntervalSince1970: TimeInterval(fixture.clock.now - 600)))
        #expect(fields.notAfter == Date(timeIntervalSince1970: TimeInterval(fixture.clock.now + 730 * 86400)))
        let row = try #require(try await fixture.row(result.requestID))
        #expect(row.disposition == .issued)
        #expect(row.templateName == "WebServer")
        #expect(!row.attributes.contains("swordfish"))
        #expect(try await fixture.auditEvents().allSatisfy { !"\($0.details)".contains("swordfish") })
        let events = try await fixture.auditEvents().suffix(2)
        #expect(events.map(\.id) == [.requestReceived, .certificateIssued])
        #expect(try await fixture.openIntents().isEmpty)
        #expect(try await fixture.auditChainVerifies())
    }

    @Test("The serial number ends in key index and request number, and is positive and minimal")
    func serialNumber() async throws {
        let fixture = try await CAFixture()
        let fields = try await fixture.issueWebServer()
        #expect(fields.serialNumber.count == 14)
        #expect(fields.serialNumber[0] & 0x80 == 0)
        #expect(fields.serialNumber[0] & 0xF0 != 0)
        #expect(Array(fields.serialNumber.suffix(6)) == [0, 0, 0, 0, 0, 2])
    }

    @Test("A user's certificate names the authenticated requester, whatever the request says")
    func subjectFromRequester() async throws {
        var template = BuiltInTemplates.user
        template.archival = .none
        let fixture = try await CAFixture(templates: [template])
        let result = try await fixture.submit(
            Requester().certificationRequest(subject: "CN=administrator", template: "User"))
        let fields = try CertificateFields(derEncoded: result.certificateDER ?? [])
        #expect(DistinguishedNameText.text(of: fields.subject) == "CN=alice")
        let names = try ExtensionDecoding(fields.extensions).subjectAlternativeNames()
        #expect(names.compactMap(\.userPrincipalName) == ["alice@example.test"])
        #expect(try ExtensionDecoding(fields.extensions).microsoftTemplate()?.majorVersion == template.majorVersion)
        let found = try await fixture.storage.read {
            try $0.certificates(matching: "alice@example.test", archivedOnly: false)
        }
        #expect(found.map(\.serialNumber) == [fields.serialHex])
    }

    @Test("A request of a template that pends waits, and is issued when a certificate manager approves it")
    func pendAndApprove() async throws {
        let fixture = try await CAFixture()
        let requester = try Requester(.rsa(bits: 2048))
        let pending = try await fixture.submit(
            requester.certificationRequest(subject: "CN=KRA 1", template: "KeyRecoveryAgent"))
        #expect(pending.disposition == .pending)
        #expect(pending.dispositionMessage == "Taken Under Submission")
        #expect(pending.certificateDER == nil)
        await #expect(throws: RequestError.accessDenied(CAFixture.alice, operation: .approveRequest, to: "")) {
            try await fixture.authority.approve(request: pending.requestID, by: CAFixture.alice)
        }
        let issued = try await fixture.authority.approve(request: pending.requestID, by: CAFixture.manager)
        #expect(issued.disposition == .issued)
        let fields = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        #expect(fields.extendedKeyUsages == [OID.keyRecoveryAgent])
        #expect(fields.keyUsage == KeyUsage(keyEncipherment: true))
        await #expect(throws: RequestError.wrongStatus(0, is: .issued, operation: "")) {
            try await fixture.authority.approve(request: pending.requestID, by: CAFixture.manager)
        }
        let retrieved = try await fixture.authority.result(ofRequest: pending.requestID, for: CAFixture.alice)
        #expect(retrieved.certificateDER == issued.certificateDER)
        #expect(
            try await fixture.auditEvents().suffix(4).map(\.id)
                == [.requestReceived, .requestPending, .requestResubmitted, .certificateIssued])
    }

    @Test("A denied request stays denied, with the manager's name and 0x80094014")
    func deny() async throws {
        let fixture = try await CAFixture()
        let pending = try await fixture.submit(
            Requester(.rsa(bits: 2048)).certificationRequest(subject: "CN=KRA", template: "KeyRecoveryAgent"))
        let denied = try await fixture.authority.deny(request: pending.requestID, by: CAFixture.manager)
        #expect(denied.disposition == .denied)
        #expect(denied.statusCode == .adminDeniedRequest)
        #expect(denied.dispositionMessage == "Denied by EXAMPLE\\manager")
        await #expect(throws: RequestError.wrongStatus(0, is: .denied, operation: "")) {
            try await fixture.authority.approve(request: pending.requestID, by: CAFixture.manager)
        }
    }

    @Test("Only the requester and those with a role see what became of a request; an unknown number is 0x80094004")
    func retrieval() async throws {
        let fixture = try await CAFixture()
        let result = try await fixture.submit(Requester().certificationRequest(), attributes: "")
        await #expect(throws: RequestError.accessDenied(CAFixture.bob, operation: .readRequests, to: "")) {
            try await fixture.authority.result(ofRequest: result.requestID, for: CAFixture.bob)
        }
        _ = try await fixture.authority.result(ofRequest: result.requestID, for: CAFixture.manager)
        let error = await #expect(throws: RequestError.self) {
            try await fixture.authority.result(ofRequest: 4711, for: CAFixture.alice)
        }
        #expect(error?.hresult == .propertyEmpty)
    }

    @Test("Who has no right to enrol is refused with 0x80094011 and leaves no row")
    func enrollmentDenied() async throws {
        let fixture = try await CAFixture()
        let nobody = Principal(name: "nobody", roles: [.auditor])
        let error = await #expect(throws: RequestError.self) {
            try await fixture.submit(Requester().certificationRequest(template: "WebServer"), by: nobody)
        }
        #expect(error?.hresult == .enrollDenied)
        #expect(try await fixture.storage.read { try $0.requests(with: nil, limit: 10) }.count == 1)
    }

    @Test("Fifty concurrent submissions are all issued, with different serial numbers")
    func concurrency() async throws {
        let fixture = try await CAFixture()
        let requests = try (0..<50).map { index in
            try Requester().certificationRequest(subject: "CN=host\(index)", template: "WebServer")
        }
        let serials = try await withThrowingTaskGroup(of: String.self) { group in
            for request in requests {
                group.addTask {
                    let result = try await fixture.submit(request)
                    return try CertificateFields(derEncoded: result.certificateDER ?? []).serialHex
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(serials.count == 50)
        #expect(try await fixture.openIntents().isEmpty)
        #expect(try await fixture.auditChainVerifies())
    }

    @Test("A client that hangs up leaves no request without an outcome")
    func cancellation() async throws {
        let fixture = try await CAFixture()
        let request = try Requester().certificationRequest(template: "WebServer")
        let task = Task { try await fixture.submit(request) }
        task.cancel()
        let result = try await task.value
        #expect(result.disposition == .issued)
        #expect(try await fixture.storage.read { try $0.requests(with: .active, limit: 10) }.isEmpty)
    }
}
