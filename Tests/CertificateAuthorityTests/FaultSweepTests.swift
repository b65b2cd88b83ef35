import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SQLiteStorage
import Testing

/// Stops the machine at every step of an operation, once before the step and once after it, starts again, and looks at
/// what is left.
@Suite struct FaultSweepTests {
    enum Operation: String, CaseIterable, CustomTestStringConvertible {
        case issue, issueWithArchival, fullResponse, pendAndApprove, deny, exchangeCertificate, publishCRL, revoke

        var testDescription: String { self.rawValue }
    }

    @Test(
        "After a stop at any step, start-up gives every request and every intent an outcome",
        arguments: Operation.allCases)
    func sweep(operation: Operation) async throws {
        let steps = try await self.countSteps(of: operation)
        #expect(steps > 0)
        for step in 1...steps {
            for moment in FaultPlan.Moment.allCases {
                try await self.stop(operation, at: step, moment)
            }
        }
    }

    private func countSteps(of operation: Operation) async throws -> Int {
        let fixture = try await CAFixture(archiver: RecordingArchiver())
        let prepared = try await Prepared(fixture)
        fixture.plan.arm(stopAt: nil, .before)
        try await prepared.run(operation)
        return fixture.plan.steps
    }

    private func stop(_ operation: Operation, at step: Int, _ moment: FaultPlan.Moment) async throws {
        let fixture = try await CAFixture(archiver: RecordingArchiver())
        let prepared = try await Prepared(fixture)
        fixture.plan.arm(stopAt: step, moment)
        // `try?`: the machine has stopped, and its last words do not matter.
        _ = try? await prepared.run(operation)
        fixture.plan.arm(stopAt: nil, .before)

        _ = try await fixture.restarted().settleInterruptedWork()
        let place = Comment(rawValue: "\(operation) stopped \(moment) step \(step)")
        #expect(try await fixture.openIntents().isEmpty, place)
        #expect(try await fixture.auditChainVerifies(), place)
        for row in try await fixture.storage.read({ try $0.requests(with: nil, limit: 100) }) {
            #expect(row.disposition != .active, place)
            let (certificate, key) = try await fixture.storage.read {
                (try $0.certificate(forRequest: row.requestID), try $0.archivedKey(forRequest: row.requestID))
            }
            let isIssued = row.disposition == .issued || row.disposition == .revoked
            #expect((certificate != nil) == isIssued, place)
            // No key without its certificate, no certificate without its key.
            if row.templateName == "User" { #expect((key != nil) == isIssued, place) }
        }
        let restarted = try fixture.restarted()
        #expect(try await restarted.settleInterruptedWork().isEmpty, place)
        let number = try await fixture.storage.read { try $0.highestCRLNumber() }
        #expect(try await restarted.publishCRL(by: CAFixture.administrator).number > number, place)
    }

    /// What the operations need, made before the count begins.
    private struct Prepared {
        let fixture: CAFixture
        let plain, archival, agent: [UInt8]
        let exchange: TokenKeyPair
        let pendingID: Int64
        let issuedSerial: String
        private static let rsa = Result { try Requester(.rsa(bits: 2048)) }

        init(_ fixture: CAFixture) async throws {
            self.fixture = fixture
            let rsa = try Prepared.rsa.get()
            self.plain = try Requester().certificationRequest(template: "WebServer")
            self.archival = try Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey())
            self.agent = try rsa.certificationRequest(subject: "CN=KRA", template: "KeyRecoveryAgent")
            self.exchange = try rsa.keyPair(.rsa(modulusBits: 2048))
            self.pendingID = try await fixture.submit(self.agent).requestID
            self.issuedSerial = try await fixture.issueWebServer().serialHex
        }

        func run(_ operation: Operation) async throws {
            let authority = self.fixture.authority
            switch operation {
            case .issue: _ = try await self.fixture.submit(self.plain)
            case .issueWithArchival: _ = try await self.fixture.submit(self.archival)
            case .fullResponse: _ = try await self.fixture.submit(self.plain, wantsFullResponse: true)
            case .pendAndApprove:
                let pending = try await self.fixture.submit(self.agent)
                _ = try await authority.approve(request: pending.requestID, by: CAFixture.manager)
            case .deny: _ = try await authority.deny(request: self.pendingID, by: CAFixture.manager)
            case .exchangeCertificate: _ = try await authority.issueExchangeCertificate(keyPair: self.exchange)
            case .publishCRL: _ = try await authority.publishCRL(by: CAFixture.administrator)
            case .revoke:
                try await authority.revoke(
                    serialNumber: self.issuedSerial, reason: .keyCompromise, by: CAFixture.manager)
            }
        }
    }

    @Test("A crash between intent and outcome is settled at start: intent interrupted, request an error, event 10002")
    func settlement() async throws {
        let fixture = try await CAFixture()
        // 1 row and intent, 2 signature: the process ends while the token signs.
        fixture.plan.arm(stopAt: 2, .after)
        await #expect(throws: StorageError.self) {
            try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
        }
        let open = try await fixture.openIntents()
        #expect(open.count == 1)
        let requestID = try #require(open.first?.requestID)
        #expect(try await fixture.row(requestID)?.disposition == .active)
        fixture.plan.arm(stopAt: nil, .before)

        let settled = try await fixture.restarted().settleInterruptedWork()
        #expect(settled.map(\.requestID) == [requestID])
        #expect(settled.first?.intent?.number == open.first?.number)
        let row = try #require(try await fixture.row(requestID))
        #expect(row.disposition == .error)
        #expect(row.statusCode == .operationAborted)
        #expect(try await fixture.auditEvents().suffix(2).map(\.id) == [.intentSettled, .intentSettled])
        #expect(try await fixture.auditChainVerifies())
    }

    @Test("An outcome that comes after start-up has settled its request is discarded")
    func lateOutcome() async throws {
        let fixture = try await CAFixture()
        fixture.plan.arm(stopAt: 2, .after)
        await #expect(throws: StorageError.self) {
            try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
        }
        fixture.plan.arm(stopAt: nil, .before)
        let settled = try await fixture.restarted().settleInterruptedWork()
        let intentID = try #require(settled.first?.intent?.intentID)
        await #expect(throws: StorageError.self) {
            try await fixture.storage.write { try $0.closeIntent(intentID, outcome: .completed, at: Date()) }
        }
    }
}
