import CertificateAuthority
import Diagnostics
import PKIMessages
import SQLiteStorage
import Testing

@Suite struct ArchivalTests {
    @Test("A CMC request's key is archived with the certificate, and the response echoes its hash")
    func archive() async throws {
        let archiver = RecordingArchiver()
        let fixture = try await CAFixture(archiver: archiver)
        let requester = try Requester()
        let encryptedKey = try Requester.encryptedKey()
        let request = try requester.fullRequest(template: "User", encryptedKey: encryptedKey)
        let result = try await fixture.submit(request)
        #expect(result.disposition == .issued)
        #expect(archiver.requests.map(\.encryptedKeyDER) == [encryptedKey])
        #expect(archiver.requests.first?.subjectPublicKeyInfo == requester.subjectPublicKeyInfo.derBytes)

        let response = try FullPKIResponse(derEncoded: result.fullResponseDER ?? [])
        try response.verifySignature(key: fixture.token.subjectPublicKeyInfo)
        try response.verifyEncryptedKeyHash(sent: Digest.sha256.hash(encryptedKey))
        #expect(try response.issuedCertificate() == result.certificateDER)
        #expect(response.statusInfo.status == .success)

        let stored = try await fixture.storage.read { try $0.archivedKey(forRequest: result.requestID) }
        #expect(stored?.kraHashes == [RecordingArchiver.hash])
        // The stored message has not the key, and its signatures still verify.
        let row = try #require(try await fixture.row(result.requestID))
        let kept = try FullPKIRequest(derEncoded: row.rawRequest)
        #expect(kept.encryptedKeyAttribute == nil)
        try kept.verifySignatures()
        #expect(
            try await fixture.auditEvents().suffix(4).map(\.id)
                == [.requestReceived, .certificateIssued, .keyArchived, .messageSigned])
        #expect(try await fixture.auditChainVerifies())
    }

    @Test("A request that pends keeps its archived key, and approval does not archive again")
    func pendingKeepsKey() async throws {
        var template = BuiltInTemplates.user
        template.pendAll = true
        let archiver = RecordingArchiver()
        let fixture = try await CAFixture(archiver: archiver, templates: [template])
        let encryptedKey = try Requester.encryptedKey()
        let pending = try await fixture.submit(
            Requester().fullRequest(template: "User", encryptedKey: encryptedKey))
        #expect(pending.disposition == .pending)
        let response = try FullPKIResponse(derEncoded: pending.fullResponseDER ?? [])
        #expect(response.statusInfo.pendInfo?.requestID == UInt32(pending.requestID))
        #expect(try await fixture.storage.read { try $0.archivedKey(forRequest: pending.requestID) } != nil)
        let issued = try await fixture.authority.approve(request: pending.requestID, by: CAFixture.manager)
        #expect(issued.disposition == .issued)
        #expect(archiver.requests.count == 1)
        let retrieved = try await fixture.authority.result(ofRequest: pending.requestID, for: CAFixture.alice)
        try FullPKIResponse(derEncoded: retrieved.fullResponseDER ?? [])
            .verifyEncryptedKeyHash(sent: Digest.sha256.hash(encryptedKey))
        let plain = try await fixture.authority.result(
            ofRequest: pending.requestID, for: CAFixture.alice, response: .certificateOnly)
        #expect(plain.certificateDER == issued.certificateDER)
        #expect(plain.fullResponseDER == nil)
    }

    @Test(
        "A pending request of a template that archives is not issued while no key can be archived, and waits on",
        arguments: [0x8009_400A, 0x8009_400B] as [UInt32])
    func pendingWithoutAgents(code: UInt32) async throws {
        var template = BuiltInTemplates.user
        template.pendAll = true
        let archiver = RecordingArchiver()
        let fixture = try await CAFixture(archiver: archiver, templates: [template])
        let pending = try await fixture.submit(
            Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey()))
        archiver.setUnready(
            .init(
                code: .badArchivalAttribute, what: "agent", reason: "not valid", hresult: .init(rawValue: code),
                advice: ["Wait."]))
        let calls = fixture.token.calls
        for attempt in [fixture.authority.approve(request:by:), fixture.authority.resubmit(request:by:)] {
            let refused = try await attempt(pending.requestID, CAFixture.manager)
            #expect(refused.disposition == .pending && refused.statusCode.rawValue == code)
            #expect(refused.certificateDER == nil)
        }
        #expect(fixture.token.calls == calls, "nothing was signed")
        #expect(try await fixture.openIntents().isEmpty)
        archiver.setUnready(nil)
        let issued = try await fixture.authority.approve(request: pending.requestID, by: CAFixture.manager)
        #expect(issued.disposition == .issued)
    }

    @Test("A request that came before its template archived keys is not issued without one: 0x80094804")
    func pendingBeforeArchival() async throws {
        var template = BuiltInTemplates.user
        template.pendAll = true
        template.archival = .none
        let fixture = try await CAFixture(archiver: RecordingArchiver(), templates: [template])
        let pending = try await fixture.submit(Requester(.rsa(bits: 2048)).certificationRequest(template: "User"))
        #expect(pending.disposition == .pending)
        template.archival = .required
        let later = try fixture.restarted(templates: [template], archiver: RecordingArchiver())
        let refused = try await later.approve(request: pending.requestID, by: CAFixture.manager)
        #expect(refused.disposition == .pending && refused.statusCode == .archivedKeyRequired)
        #expect(try await fixture.storage.read { try $0.certificate(forRequest: pending.requestID) } == nil)
    }

    @Test("A template that archives denies a request without a key: 0x80094804")
    func required() async throws {
        let fixture = try await CAFixture(archiver: RecordingArchiver())
        let plain = try await fixture.submit(Requester().certificationRequest(template: "User"))
        #expect(plain.statusCode == HRESULT(rawValue: 0x8009_4804))
        let cmc = try await fixture.submit(Requester().fullRequest(template: "User"))
        #expect(cmc.statusCode == .archivedKeyRequired)
        #expect(try FullPKIResponse(derEncoded: cmc.fullResponseDER ?? []).statusInfo.status == .failed)
    }

    @Test("A template that does not archive denies a request with a key: 0x80094810, and the key goes nowhere")
    func unexpected() async throws {
        let archiver = RecordingArchiver()
        let fixture = try await CAFixture(archiver: archiver)
        let result = try await fixture.submit(
            Requester().fullRequest(template: "WebServer", encryptedKey: Requester.encryptedKey()))
        #expect(result.statusCode == .archivedKeyUnexpected)
        #expect(archiver.requests.isEmpty)
    }

    @Test("A key sent to a CA that archives none is an error with 0x8009400A")
    func notConfigured() async throws {
        let result = try await CAFixture().submit(
            Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey()))
        #expect(result.disposition == .error)
        #expect(result.statusCode == .keyArchivalNotConfigured)
        #expect(result.dispositionMessage == "Error Archiving Private Key")
    }

    @Test("Whether keys can be archived is said before the template is looked at: 0x8009400B comes before 0x80094810")
    func readinessFirst() async throws {
        let unready = PKIMessageError.badArchivalAttribute("test", "no agent is valid")
        let archiver = RecordingArchiver(unready: unready)
        let fixture = try await CAFixture(archiver: archiver)
        let request = try Requester().fullRequest(template: "WebServer", encryptedKey: Requester.encryptedKey())
        let result = try await fixture.submit(request)
        #expect(result.statusCode == unready.hresult)
        #expect(result.disposition == .error)
        #expect(archiver.requests.isEmpty)
        // Requests without a key are none of the archiver's business.
        let plain = try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
        #expect(plain.disposition == .issued)
    }

    @Test("The audit event of an archived key vouches for its evidence")
    func evidenceInTheTrail() async throws {
        let fixture = try await CAFixture(archiver: RecordingArchiver())
        let result = try await fixture.submit(
            Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey()))
        let stored = try #require(
            try await fixture.storage.read { try $0.archivedKey(forRequest: result.requestID) })
        let event = try #require(try await fixture.auditEvents().first { $0.id == .keyArchived })
        #expect(
            event.details["Evidence SHA-256"]
                == Hexadecimal.lower(Digest.sha256.hash(Array(stored.evidenceJSON.utf8))))
    }

    @Test("When the archiver fails, nothing is issued and its code is the request's")
    func archiverFails() async throws {
        let failure = PKIMessageError.keyMismatch("archived key", "private and public key do not belong together")
        let fixture = try await CAFixture(archiver: RecordingArchiver(failingWith: failure))
        let calls = fixture.token.calls
        let result = try await fixture.submit(
            Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey()))
        #expect(result.disposition == .error)
        #expect(result.statusCode == failure.hresult)
        #expect(result.certificateDER == nil)
        #expect(fixture.token.calls == calls + 1, "the response was signed and nothing else")
        #expect(try await fixture.storage.read { try $0.archivedKey(forRequest: result.requestID) } == nil)
        #expect(try await fixture.openIntents().isEmpty)
    }

    @Test("A key that is not the one the requester has hashed is refused with 0x80091007")
    func wrongHash() async throws {
        let archiver = RecordingArchiver()
        let fixture = try await CAFixture(archiver: archiver)
        let encryptedKey = try Requester.encryptedKey()
        var request = try Requester().fullRequest(template: "User", encryptedKey: encryptedKey)
        // The key's version number, 0, becomes 1: an unsigned attribute, so that every signature still verifies.
        let start = try #require(
            request.indices.first { Array(request[$0...].prefix(encryptedKey.count)) == encryptedKey })
        request[start + encryptedKey.count - 1] = 1
        let result = try await fixture.submit(request)
        #expect(result.disposition == .error)
        #expect(result.statusCode == .hashValue)
        #expect(archiver.requests.isEmpty)
    }

    @Test("A PKCS #10 request gets a full response when its client wants one")
    func fullResponseForPKCS10() async throws {
        let fixture = try await CAFixture()
        let request = try Requester().certificationRequest(template: "WebServer")
        let result = try await fixture.submit(request, wantsFullResponse: true)
        let response = try FullPKIResponse(derEncoded: result.fullResponseDER ?? [])
        #expect(try response.issuedCertificate() == result.certificateDER)
        #expect(response.statusInfo.bodyList == [1])
        #expect(response.encryptedKeyHash == nil)
    }
}
