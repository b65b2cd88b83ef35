import CertificateAuthority
import Diagnostics
import KeyProvider
import PKIMessages
import SQLiteStorage
import Testing

@Suite struct TokenFaultTests {
    @Test("A wrong signature is recorded, issues nothing and stops the key for everything after it")
    func wrongSignature() async throws {
        let fixture = try await CAFixture()
        fixture.token.behave(.signsWrongly)
        let result = try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
        #expect(result.disposition == .error)
        #expect(result.statusCode == .badSignature)
        #expect(result.certificateDER == nil)
        #expect((result.failure as? IssuanceError)?.code == .wrongSignature)
        #expect(try await fixture.storage.read { try $0.certificate(forRequest: result.requestID) } == nil)
        #expect(try await fixture.auditEvents().last?.id == .wrongSignature)

        fixture.token.behave(.sound)
        let calls = fixture.token.calls
        let next = try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
        #expect((next.failure as? IssuanceError)?.code == .keyStopped)
        await #expect(throws: IssuanceError.self) {
            try await fixture.authority.publishCRL(by: CAFixture.administrator)
        }
        #expect(fixture.token.calls == calls, "a stopped key is not asked again")
        #expect(try await fixture.openIntents().isEmpty)
        #expect(try await fixture.auditChainVerifies())
    }

    @Test("A token that fails closes the intent as failed and gives the request the token's code")
    func tokenFails() async throws {
        let fixture = try await CAFixture(archiver: RecordingArchiver())
        fixture.token.behave(.fails)
        let result = try await fixture.submit(
            Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey()))
        #expect(result.disposition == .error)
        #expect(result.statusCode == .removedCard)
        #expect(result.failure is KeyProviderError)
        let row = try #require(try await fixture.row(result.requestID))
        #expect(row.disposition == .error)
        #expect(row.statusCode == .removedCard)
        #expect(try await fixture.storage.read { try $0.archivedKey(forRequest: result.requestID) } == nil)
        #expect(try await fixture.openIntents().isEmpty)
        let event = try await fixture.auditEvents().last
        #expect(event?.id == .tokenFailure)
        #expect(event?.details["Call"] == "C_Sign: CKR_DEVICE_REMOVED (0x32)")
        #expect(try await fixture.auditChainVerifies())
        // Another request, when the token is back, is issued: a token that fails is not a token that lies.
        fixture.token.behave(.sound)
        #expect(
            try await fixture.submit(Requester().certificationRequest(template: "WebServer")).disposition == .issued)
    }

    @Test("An approval that the token fails leaves the request pending, to be approved again")
    func approvalFails() async throws {
        let fixture = try await CAFixture()
        let pending = try await fixture.submit(
            Requester(.rsa(bits: 2048)).certificationRequest(subject: "CN=KRA", template: "KeyRecoveryAgent"))
        fixture.token.behave(.fails)
        let failed = try await fixture.authority.approve(request: pending.requestID, by: CAFixture.manager)
        #expect(failed.disposition == .pending)
        #expect(failed.statusCode == .removedCard)
        fixture.token.behave(.sound)
        let issued = try await fixture.authority.approve(request: pending.requestID, by: CAFixture.manager)
        #expect(issued.disposition == .issued)
    }

    @Test("When the token fails for the response only, the certificate stays issued and can be fetched")
    func responseFails() async throws {
        let fixture = try await CAFixture()
        let request = try Requester().certificationRequest(template: "WebServer")
        let first = try await fixture.submit(request)
        fixture.token.behave(.fails)
        let retrieved = try await fixture.authority.result(
            ofRequest: first.requestID, for: CAFixture.alice, response: .full)
        #expect(retrieved.certificateDER == first.certificateDER)
        #expect(retrieved.fullResponseDER == nil)
        #expect(retrieved.failure is KeyProviderError)
        #expect(try await fixture.auditEvents().last?.id == .tokenFailure)
    }
}
