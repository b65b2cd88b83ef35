import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import TestSupport
import Testing

@Suite struct ReplacementTests {
    /// A certificate of alice's, and a request for its successor.
    private func lost(_ fixture: CAFixture) async throws -> (CertificateFields, [UInt8]) {
        let old = try await fixture.issueWebServer()
        return (old, try Requester().certificationRequest(dnsNames: ["www.example.test"]))
    }

    @Test("One call revokes and re-issues for the same subject and requester; case, rows and events belong together")
    func replaces() async throws {
        let fixture = try await CAFixture()
        let (old, request) = try await self.lost(fixture)
        let order = ReplacementOrder(serialNumber: old.serialHex, reason: .keyCompromise, requestBytes: request)
        let status = try await fixture.authority.replace(order, by: CAFixture.manager)
        #expect(status.state == .replaced)
        let newSerial = try #require(status.newSerialNumber)
        let rows = try await fixture.storage.read {
            try [$0.certificate(serialNumber: old.serialHex), $0.certificate(serialNumber: newSerial)]
        }
        #expect(rows[0]?.revocation?.reason == 1 && rows[1]?.revocation == nil)
        #expect(rows[1]?.subject == rows[0]?.subject && rows[1]?.requesterName == "EXAMPLE\\alice")
        let number = "\(status.replacement.caseID)"
        let events = try await fixture.auditEvents().filter { $0.details["Case"] == number }
        #expect(events.map(\.id) == [.certificateRevoked, .replacementOpened, .replacementAnswered])
        #expect(events.last?.details["Request ID"] == rows[1].map { "\($0.requestID)" })
        let again = await #expect(throws: RequestError.self) {
            try await fixture.authority.replace(order, by: CAFixture.manager)
        }
        #expect(again?.code == .wrongRevocationStatus)
    }

    @Test(
        "Another subject, another name, the lost key or a reason that is not for ever: refused, and nothing is revoked")
    func unfit() async throws {
        let fixture = try await CAFixture()
        let requester = try Requester()
        let old = try await fixture.issueWebServer(requester)
        let requests = try [
            Requester().certificationRequest(subject: "CN=other.example.test", dnsNames: ["www.example.test"]),
            Requester().certificationRequest(dnsNames: ["other.example.test"]),
            requester.certificationRequest(dnsNames: ["www.example.test"]),
        ]
        var orders = requests.map { ReplacementOrder(serialNumber: old.serialHex, requestBytes: $0) }
        orders.append(
            try ReplacementOrder(
                serialNumber: old.serialHex, reason: .certificateHold,
                requestBytes: Requester().certificationRequest(dnsNames: ["www.example.test"])))
        for order in orders {
            let error = await #expect(throws: RequestError.self) {
                try await fixture.authority.replace(order, by: CAFixture.manager)
            }
            #expect(error?.code == .unfitReplacement && error?.hresult == .invalidParameter)
        }
        let row = try await fixture.storage.read { try $0.certificate(serialNumber: old.serialHex) }
        #expect(row?.revocation == nil)
        #expect(try await fixture.storage.read { try $0.replacementCases(limit: 9) }.isEmpty)
    }

    @Test(
        "Whichever step stops, the old one is revoked with a case or not at all, and a resumed case has one successor")
    func crashes() async throws {
        let plain = try await CAFixture()
        let (old, request) = try await self.lost(plain)
        plain.plan.arm(stopAt: nil, .before)
        _ = try await plain.authority.replace(
            ReplacementOrder(serialNumber: old.serialHex, requestBytes: request), by: CAFixture.manager)
        for step in 1...plain.plan.steps {
            for moment in [FaultPlan.Moment.before, .after] {
                try await self.crash(at: step, moment)
            }
        }
    }

    private func crash(at step: Int, _ moment: FaultPlan.Moment) async throws {
        let fixture = try await CAFixture()
        let (old, request) = try await self.lost(fixture)
        fixture.plan.arm(stopAt: step, moment)
        do {
            _ = try await fixture.authority.replace(
                ReplacementOrder(serialNumber: old.serialHex, requestBytes: request), by: CAFixture.manager)
        } catch {
            // The machine has stopped; what it left is looked at below.
        }
        fixture.plan.arm(stopAt: nil, .before)
        let restarted = try fixture.restarted()
        _ = try await restarted.settleInterruptedWork()
        let row = try await fixture.storage.read { try $0.certificate(serialNumber: old.serialHex) }
        let found = try await fixture.storage.read { try $0.replacementCases(limit: 9) }
        #expect((row?.revocation != nil) == (found.count == 1), "step \(step) \(moment)")
        guard let open = found.first else { return }
        let status = try await restarted.resume(case: open.caseID, by: CAFixture.manager)
        #expect(status.state == .replaced, "step \(step) \(moment)")
        let issued = try await fixture.storage.read {
            try $0.certificates(matching: "www.example.test", archivedOnly: false)
        }
        #expect(issued.count == 2 && issued.filter { $0.revocation == nil }.count == 1, "step \(step) \(moment)")
        #expect(try await fixture.auditChainVerifies())
    }

    @Test("A refused successor can be asked for again within the window, and not after it")
    func window() async throws {
        let fixture = try await CAFixture()
        let (old, request) = try await self.lost(fixture)
        fixture.token.behave(.fails)
        let order = ReplacementOrder(serialNumber: old.serialHex, requestBytes: request, window: 3600)
        let refused = try await fixture.authority.replace(order, by: CAFixture.manager)
        #expect(refused.state == .refused)
        fixture.token.behave(.sound)
        fixture.clock.advance(by: 3601)
        let error = await #expect(throws: RequestError.self) {
            try await fixture.authority.resume(case: refused.replacement.caseID, by: CAFixture.manager)
        }
        #expect(error?.code == .unfitReplacement)
        fixture.clock.advance(by: -2)
        let another = try Requester().certificationRequest(dnsNames: ["www.example.test"])
        let status = try await fixture.authority.resume(
            case: refused.replacement.caseID, requestBytes: another, by: CAFixture.manager)
        #expect(status.state == .replaced)
        let unknown = await #expect(throws: RequestError.self) {
            _ = try await fixture.storage.read { try $0.status(ofCase: 99) }
        }
        #expect(unknown?.code == .unknownCase)
    }

    @Test("A successor whose template pends waits for approval; the case follows")
    func pends() async throws {
        var templates = BuiltInTemplates.all
        for index in templates.indices { templates[index].pendAll = true }
        let fixture = try await CAFixture(templates: templates)
        let requester = try Requester()
        let first = try await fixture.submit(
            requester.certificationRequest(dnsNames: ["www.example.test"]), attributes: "CertificateTemplate:WebServer")
        let issued = try await fixture.authority.approve(request: first.requestID, by: CAFixture.manager)
        let old = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        let status = try await fixture.authority.replace(
            ReplacementOrder(
                serialNumber: old.serialHex,
                requestBytes: Requester().certificationRequest(dnsNames: ["www.example.test"])),
            by: CAFixture.manager)
        #expect(status.state == .pending)
        let requestID = try #require(status.replacement.newRequestID)
        _ = try await fixture.authority.approve(request: requestID, by: CAFixture.manager)
        let after = try await fixture.storage.read { try $0.status(ofCase: status.replacement.caseID) }
        #expect(after.state == .replaced)
    }
}
