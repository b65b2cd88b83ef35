import CertificateAuthority
import Diagnostics
import PKIMessages
import SQLiteStorage
import Testing

@Suite struct LintedIssuanceTests {
    @Test("A request whose key is weak is denied, and its findings are stored and named in the audit trail")
    func weakKey() async throws {
        let requester = try Requester(.rsa(bits: 2048))
        var list = WeakKeyList()
        let modulus = requester.subjectPublicKeyInfo.rsaPublicKey?.opensslModulusText ?? ""
        #expect(list.add(Hexadecimal.lower(Digest.sha1.hash(Array(modulus.utf8)))) == nil)
        let fixture = try await CAFixture(weakKeys: list)
        let result = try await fixture.submit(requester.certificationRequest(template: "WebServer"))
        #expect(result.disposition == .denied)
        #expect(result.statusCode == .badKey)
        #expect(result.dispositionMessage.contains("on the list of keys that everybody knows"))
        #expect(fixture.token.calls == 1)
        let stored = try await fixture.storage.read { try $0.lintFindings(ofRequest: result.requestID) }
        #expect(stored.map(\.id) == ["rsa-known-weak"])
        #expect(stored.map(\.source) == [.key])
        let event = try #require(try await fixture.auditEvents().last)
        #expect(event.id == .policyDenied)
        #expect(event.details["Findings"] == "rsa-known-weak")
    }

    @Test("A request with a name that RFC 5280 does not know is denied with 0x80094001")
    func badName() async throws {
        let fixture = try await CAFixture()
        let result = try await fixture.submit(
            Requester().certificationRequest(template: "WebServer", dnsNames: ["not a name"]))
        #expect(result.statusCode == .badRequestSubject)
        #expect(result.disposition == .denied)
        let long = try await fixture.submit(
            Requester().certificationRequest(
                subject: "CN=#" + LintTests.utf8(String(repeating: "x", count: 65)), template: "WebServer"))
        #expect(long.statusCode == .badRequestSubject)
        #expect(long.dispositionMessage.contains("The request subject name is invalid or too long."))
        #expect(try await fixture.openIntents().isEmpty)
    }

    @Test("A warning does not stop issuance, and is stored with the request")
    func warning() async throws {
        let fixture = try await CAFixture()
        let result = try await fixture.submit(
            Requester().certificationRequest(template: "WebServer", dnsNames: ["a_b.example.test"]))
        #expect(result.disposition == .issued)
        let stored = try await fixture.storage.read { try $0.lintFindings(ofRequest: result.requestID) }
        #expect(stored.map(\.id) == ["dns-name-underscore"])
        #expect(stored.map(\.severity) == [.warning])
    }
}
