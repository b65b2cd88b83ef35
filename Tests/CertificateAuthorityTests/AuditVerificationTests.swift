import Foundation
import KeyProvider
import PKIMessages
import SQLiteStorage
import TestSupport
import Testing

@testable import CertificateAuthority

// IssuanceError is equal by its code.
@Suite("The audit chain, its signed heads and the ledger of signatures")
struct AuditVerificationTests {
    /// A CA that has issued, revoked, published and signed a message and the head of its chain.
    private func busyAuthority() async throws -> CAFixture {
        let fixture = try await CAFixture()
        _ = try await fixture.issueWebServer()
        let revoked = try await fixture.issueWebServer()
        try await fixture.authority.revoke(
            serialNumber: revoked.serialHex, reason: .superseded, by: CAFixture.manager)
        _ = try await fixture.authority.publishCRL(by: CAFixture.administrator)
        _ = try await fixture.submit(
            Requester().certificationRequest(dnsNames: ["www.example.test"]),
            attributes: "CertificateTemplate:WebServer", wantsFullResponse: true)
        _ = try await fixture.authority.signAuditHead()
        return fixture
    }

    private func verified(
        _ fixture: CAFixture, expected: ExpectedAuditHead? = nil, requiresSignature: Bool = false
    ) async throws -> (AuditVerifier, SignatureReconciliation.Summary) {
        let (heads, entries) = try await fixture.storage.read {
            (try $0.signedAuditHeads(after: 0, limit: 1000), try $0.auditEntries(after: 0, limit: 100_000))
        }
        var verifier = AuditVerifier(
            authorityKeys: [fixture.authority.caCertificate.subjectPublicKeyInfo], heads: heads, expected: expected,
            collectsUses: true)
        for entry in entries { verifier.check(entry) }
        verifier.finish(requiresSignature: requiresSignature)
        return (verifier, try await SignatureReconciliation(storage: fixture.storage, chain: verifier).run())
    }

    @Test("An untouched chain verifies, and every use of the CA key has its object and its event")
    func sound() async throws {
        let fixture = try await self.busyAuthority()
        let (verifier, ledger) = try await self.verified(fixture, requiresSignature: true)
        #expect(verifier.findings == [] && ledger.findings == [])
        #expect(verifier.signedHeads == 1 && verifier.entriesAfterSignedHead == 1)
        // Root, three certificates, CRL, full response, head: as often as the token was asked.
        #expect(ledger.completed == 7)
        #expect(fixture.token.calls == 7)
        #expect(ledger.certificates == 3)
    }

    @Test("The CA key vouches for the chain up to its newest head, and from a change on for nothing")
    func vouched() async throws {
        let fixture = try await self.busyAuthority()
        _ = try await fixture.issueWebServer()
        _ = try await fixture.authority.signAuditHead()
        let (heads, entries) = try await fixture.storage.read {
            (try $0.signedAuditHeads(after: 0, limit: 1000), try $0.auditEntries(after: 0, limit: 100_000))
        }
        try #require(heads.count == 2)
        func vouchedUpTo(_ heads: [SignedAuditHead], changing sequence: Int64? = nil) -> Int64 {
            var verifier = AuditVerifier(
                authorityKeys: [fixture.authority.caCertificate.subjectPublicKeyInfo], heads: heads, expected: nil,
                collectsUses: false)
            for var entry in entries {
                if entry.sequence == sequence { entry.event.details["Request ID"] = "1000" }
                verifier.check(entry)
            }
            return verifier.vouchedUpTo
        }
        #expect(vouchedUpTo(heads) == heads[1].sequence)
        #expect(vouchedUpTo([heads[0]]) == heads[0].sequence)
        #expect(vouchedUpTo([]) == 0)
        #expect(vouchedUpTo(heads, changing: 2) == 0)
        #expect(vouchedUpTo(heads, changing: heads[0].sequence + 1) == heads[0].sequence)
        #expect(vouchedUpTo(heads, changing: heads[1].sequence + 1) == heads[1].sequence)
        var forged = heads[1]
        forged.statementDER = heads[0].statementDER
        #expect(vouchedUpTo([heads[0], forged]) == heads[0].sequence)
    }

    @Test("A head is signed again only when something was recorded meanwhile; openssl reads what was signed")
    func heads() async throws {
        let fixture = try await self.busyAuthority()
        #expect(try await fixture.authority.signAuditHead() == nil)
        _ = try await fixture.issueWebServer()
        let head = try #require(try await fixture.authority.signAuditHead())
        let statement = try await run(
            ["openssl", "cms", "-verify", "-noverify", "-inform", "DER"], input: head.statementDER)
        #expect(statement.status == 0, Comment(rawValue: statement.stderr))
        #expect(
            statement.text.hasPrefix(
                "signet-audit-head 1 sequence=\(head.sequence) sha256=\(Hexadecimal.lower(head.hash)) time="))
    }

    @Test("A failed signature is in the ledger, with its event, and is no finding")
    func failed() async throws {
        let fixture = try await self.busyAuthority()
        fixture.token.behave(.fails)
        await #expect(throws: (any Error).self) {
            try await fixture.authority.publishCRL(by: CAFixture.administrator)
        }
        fixture.token.behave(.sound)
        let (verifier, ledger) = try await self.verified(fixture)
        #expect(verifier.findings == [] && ledger.findings == [] && ledger.failed == 1)
        #expect(try await fixture.openIntents().isEmpty)
    }

    @Test("What went by rule is in the chain with its numbers, and no finding")
    func pruned() async throws {
        let fixture = try await self.busyAuthority()
        let issued = try await fixture.storage.read { try $0.certificates(afterRequest: 0, limit: 10) }.map(\.requestID)
        fixture.clock.advance(by: 3 * 365 * 86_400)
        _ = try await fixture.issueWebServer()
        _ = try await fixture.authority.publishCRL(by: CAFixture.administrator)
        let both = Principal(name: "EXAMPLE\\both", roles: [.administrator, .certificateManager])
        let now = Date(timeIntervalSince1970: TimeInterval(fixture.clock.now))
        #expect(try await fixture.authority.prune(PruningRule(.expired, before: now), by: both) == 3)
        let (verifier, ledger) = try await self.verified(fixture)
        #expect(verifier.findings == [] && ledger.findings == [])
        let event = try await fixture.auditEvents().last { $0.id == .rowsDeleted }
        #expect(event?.details["Request IDs"] == NumberRanges(issued).description)
        #expect(event?.details["Rows Deleted"] == "3" && issued.count == 3)
    }

    @Test(
        "Numbers are written as ranges, read strictly, and found",
        arguments: [([], ""), ([7], "7"), ([3, 1, 2, 2], "1-3"), ([9, 1, 5, 2], "1-2,5,9")] as [([Int64], String)])
    func ranges(numbers: [Int64], text: String) {
        let ranges = NumberRanges(numbers)
        #expect(ranges.description == text)
        #expect(NumberRanges(text) == (numbers.isEmpty ? nil : ranges))
        for number in Int64(0)...10 { #expect(ranges.contains(number) == numbers.contains(number)) }
        for wrong in [text + ",", "," + text, text + "-", "2-1", "1,2", "5,1", "a", " 1", "+1", "1-2-3"] {
            #expect(NumberRanges(wrong) == nil, "\(wrong)")
        }
    }

    @Test("A list in a file is compared by the hash in its row; a row of an older version has none and is passed over")
    func largeLists() async throws {
        let fixture = try await self.busyAuthority()
        let hashes: [[UInt8]?] = [[1], [2], nil]
        let now = fixture.authority.surroundings.now()
        for (index, hash) in hashes.enumerated() {
            let number = UInt64(100 + index)
            try await fixture.storage.write { db in
                let intent = try db.insert(
                    SigningIntent(
                        kind: .crl, requestID: nil, number: "\(number)", toBeSignedSHA256: [1], caKeyIndex: 0,
                        createdWhen: now))
                try db.closeIntent(intent, outcome: .completed, at: now)
                try db.insert(
                    CRLRecord(
                        number: number, caKeyIndex: 0, thisUpdate: now, nextUpdate: now, crlDER: [],
                        fileName: "\(number)-base.crl", toBeSignedSHA256: hash))
                try db.append(
                    AuditEvent(
                        .crlPublished, when: now, who: "x", details: ["CRL Number": "\(number)", "Base CRL": "Yes"]))
            }
        }
        let ledger = try await self.verified(fixture).1
        #expect(ledger.findings.map(\.kind) == [.useWithoutObject])
        #expect(ledger.findings.first?.text.contains("crl 101") == true)
    }

    @Test("A head that is expected from elsewhere must be in the chain")
    func anchor() async throws {
        let fixture = try await self.busyAuthority()
        let entries = try await fixture.storage.read { try $0.auditEntries(after: 0, limit: 1000) }
        let last = try #require(entries.last)
        let text = "\(last.sequence):\(Hexadecimal.lower(last.hash))"
        let anchor = try #require(ExpectedAuditHead(text))
        #expect(try await self.verified(fixture, expected: anchor).0.findings == [])
        let other = ExpectedAuditHead(sequence: last.sequence, hash: entries[0].hash)
        #expect(try await self.verified(fixture, expected: other).0.findings.map(\.kind) == [.headMismatch])
        let beyond = ExpectedAuditHead(sequence: last.sequence + 1, hash: last.hash)
        #expect(try await self.verified(fixture, expected: beyond).0.findings.map(\.kind) == [.chainCut])
        for wrong in [
            "", "1", "1:00", "0:\(Hexadecimal.lower(last.hash))", "x:\(Hexadecimal.lower(last.hash))", text + ":",
        ] {
            #expect(ExpectedAuditHead(wrong) == nil)
        }
    }

    @Test("The filter leaves categories out, and never what chain and ledger need")
    func filter() async throws {
        let fixture = try await self.busyAuthority()
        let before = try await fixture.auditEvents().count
        try await fixture.storage.write { try $0.setSetting(AuditFilter.setting, to: "0") }
        _ = try await fixture.issueWebServer()
        _ = try await fixture.authority.publishCRL(by: CAFixture.administrator)
        #expect(
            try await fixture.auditEvents().dropFirst(before).map(\.id) == [.certificateIssued, .crlPublished])
        let (verifier, ledger) = try await self.verified(fixture)
        #expect(verifier.findings == [] && ledger.findings == [])
        try await fixture.storage.write { db in
            try db.setSetting(AuditFilter.setting, to: "\(AuditFilter.requests.rawValue)")
            // The new filter holds for what follows in the same transaction.
            try db.append(AuditEvent(.requestReceived, when: Date(timeIntervalSince1970: 0), who: "x", details: [:]))
            try db.append(AuditEvent(.certificateRevoked, when: Date(timeIntervalSince1970: 0), who: "x", details: [:]))
        }
        #expect(try await fixture.auditEvents().last?.id == .requestReceived)
    }

    @Test("What a CA at work records has all the data that the table names for its event")
    func data() async throws {
        let fixture = try await self.busyAuthority()
        let pending = try await fixture.submit(
            Requester(.rsa(bits: 2048)).certificationRequest(subject: "CN=KRA", template: "KeyRecoveryAgent"))
        try await fixture.authority.setAttributes("Room:7", ofRequest: pending.requestID, by: CAFixture.manager)
        try await fixture.authority.setExtension(
            .init(oid: "1.2.3", isCritical: false, value: [5, 0]), ofRequest: pending.requestID, by: CAFixture.manager)
        _ = try await fixture.authority.deny(request: pending.requestID, by: CAFixture.manager)
        _ = try await fixture.authority.resubmit(request: pending.requestID, by: CAFixture.administrator)
        _ = try await fixture.submit(Requester(.rsa(bits: 1024)).certificationRequest(template: "WebServer"))
        let events = try await fixture.auditEvents()
        for event in events {
            let kind = try #require(AuditEventKind.of(event.id))
            // The certificate of the CA itself answers no request.
            guard event.details["Disposition"] != "15" else { continue }
            #expect(Set(kind.fields).subtracting(event.details.keys) == [], "event \(event.id.rawValue)")
        }
        let seen = Set(events.map(\.id.rawValue))
        #expect(seen.isSuperset(of: [772, 773, 774, 776, 777, 778, 790, 791, 792, 793, 10_007, 10_008]))
    }

    @Test("Every event has its number's text, one category, and is in the list once")
    func kinds() {
        for kind in AuditEventKind.all {
            #expect(AuditFilter.names.map(\.filter).contains(kind.category), Comment(rawValue: kind.text))
            #expect(AuditFilter.all.records(kind.id))
            #expect(AuditFilter([]).records(kind.id) == kind.isAlwaysRecorded)
        }
        let windows = AuditEventKind.all.map(\.id.rawValue).filter { $0 < 900 }
        #expect(windows.sorted() == Array(772...801))
        let own = AuditEventKind.all.map(\.id.rawValue).filter { $0 > 10_000 }
        #expect(own.sorted() == Array(10_001...10_015) + Array(10_020...10_022) + [10_050, 10_051])
        #expect(AuditEventKind.of(.archivedKeyRetrieved)?.text == "Certificate Services retrieved an archived key.")
    }

    @Test("A wrong signature stops the key beyond the end of the process, until an operator releases it")
    func keyStop() async throws {
        let fixture = try await CAFixture()
        let when = Date(timeIntervalSince1970: 1_800_000_000)
        let stop = KeyStop(.wrongSignature, when: when)
        let stops = StoredKeyStops(storage: fixture.storage, now: { when })
        func key() throws -> CASigningKey {
            try CASigningKey(token: fixture.token, keyPair: fixture.token.keyPair, stops: stops)
        }
        let first = try key()
        fixture.token.behave(.signsWrongly)
        await #expect(throws: IssuanceError.wrongSignature(key: "")) { try await first.sign([1]) }
        fixture.token.behave(.sound)
        let calls = fixture.token.calls
        await #expect(throws: IssuanceError.keyStopped(key: "", stop)) { try await first.sign([1]) }
        let second = try key()
        await #expect(throws: IssuanceError.keyStopped(key: "", stop)) { try await second.sign([1]) }
        #expect(fixture.token.calls == calls)

        let locator = fixture.token.locator
        #expect(try await stops.stop(of: locator) == stop)
        let found = KeyStop(.wrongSignature, when: when, finding: "The token signed wrongly.")
        try await stops.explain(found, of: locator)
        #expect(try await fixture.storage.write { try StoredKeyStops.release(locator, in: $0) } == found)
        #expect(try await fixture.storage.write { try StoredKeyStops.release(locator, in: $0) } == nil)
        try await stops.explain(found, of: locator)
        #expect(try await stops.stop(of: locator) == nil, "an explanation stops nothing")
        try await fixture.storage.write {
            try $0.setSetting("key-stopped." + Hexadecimal.lower(locator.publicKeySHA256), to: "stopped")
        }
        #expect(try await stops.stop(of: locator) == KeyStop(nil, when: nil), "of an earlier version")
        #expect(try await fixture.storage.write { try StoredKeyStops.release(locator, in: $0) } != nil)
        _ = try await first.sign([1])
        _ = try await second.sign([1])
        #expect(!first.isStopped)
    }
}
