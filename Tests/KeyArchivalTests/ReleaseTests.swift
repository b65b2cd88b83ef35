import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import Testing

@testable import KeyArchival

@Suite("Approving the release of archived keys")
struct ReleaseTests {
    private static let policy = KeyReleasePolicy(approvals: 2, validity: 3600)

    private static func manager(_ name: String) -> Principal {
        Principal(name: "EXAMPLE\\\(name)", roles: [.certificateManager])
    }

    private struct Site: Sendable {
        let authority: TestAuthority
        let requestID: Int64

        init() async throws {
            self.authority = try await TestAuthority()
            let agent = try await self.authority.addAgent("Agent", key: TestKey.agents[0].publicKey)
            self.requestID = try await self.authority.issue("alice", to: TestKey.user.publicKey).requestID
            let key = ArchivedKeyRecord(
                requestID: self.requestID, format: .cmsAES,
                envelopedDataDER: try EnvelopedData.sealing(
                    privateKey: TestKey.user.privateKey, to: [agent], encryption: .aes256CBC, transport: .oaep(.sha1),
                    random: LibCrypto.randomBytes
                ).contentInfoDER(),
                kraHashes: [Hexadecimal.lower(agent.sha1Thumbprint)], evidenceJSON: "{}",
                archivedWhen: TestAuthority.now)
            try await self.authority.storage.write { try $0.insert(key) }
        }

        func approve(
            _ name: String, policy: KeyReleasePolicy = ReleaseTests.policy, after: TimeInterval = 0
        ) async throws {
            try await self.approve(ReleaseTests.manager(name), policy: policy, after: after)
        }

        func approve(
            _ who: Principal, policy: KeyReleasePolicy = ReleaseTests.policy, after: TimeInterval = 0
        )
            async throws
        {
            let requestID = self.requestID
            try await self.authority.storage.write {
                try $0.approveRelease(
                    ofRequest: requestID, requester: "EXAMPLE\\alice", template: nil, by: who, policy,
                    at: TestAuthority.now.addingTimeInterval(after))
            }
        }

        func take(_ name: String, after: TimeInterval = 0) async throws -> [UInt8] {
            try await self.authority.recoveryBlobs(
                ReleaseTests.policy, at: TestAuthority.now.addingTimeInterval(after)
            ).recoveryBlob(forRequest: self.requestID, by: ReleaseTests.manager(name))
        }

        func isRefused(_ name: String, after: TimeInterval = 0) async throws -> Bool {
            do {
                _ = try await self.take(name, after: after)
                return false
            } catch let error as RequestError {
                #expect(error.code == .releaseNotApproved && error.hresult.rawValue == 0x8009_4009)
                return true
            }
        }
    }

    @Test("Two managers beside the taker must approve, and what they approve is released once")
    func two() async throws {
        let site = try await Site()
        try await #expect(site.isRefused("taker"))
        try await site.approve("anna")
        try await #expect(site.isRefused("taker"))
        // The same person in other letters, the taker, and whose key it is are no second.
        try await site.approve("ANNA")
        try await site.approve("taker")
        try await #expect(site.isRefused("taker"))
        try await site.approve("bert")
        try await #expect(site.isRefused("anna") == false)
        let head = try await site.authority.storage.read { try $0.auditHead() }
        #expect(head?.event.id == .archivedKeyRetrieved && head?.event.who == "EXAMPLE\\anna")
        #expect(head?.event.details["Approved By"] == "EXAMPLE\\bert, EXAMPLE\\taker")
        try await #expect(site.isRefused("anna"))
        try await #expect(site.authority.storage.read { try $0.releaseApprovals(ofRequest: site.requestID) } == [])
    }

    @Test("An approval is recorded, and counts for the time that is set")
    func expiry() async throws {
        let site = try await Site()
        try await site.approve("anna")
        let head = try await site.authority.storage.read { try $0.auditHead() }
        #expect(head?.event.id == .keyReleaseApproved && head?.event.who == "EXAMPLE\\anna")
        #expect(head?.event.details == ["Request ID": "\(site.requestID)", "Requester": "EXAMPLE\\alice"])
        try await site.approve("bert", after: 1800)
        // Not before it was given, and not from its end on.
        try await #expect(site.isRefused("taker", after: 1799))
        try await #expect(site.isRefused("taker", after: 3600))
        try await site.approve("anna", after: 3600)
        try await #expect(site.isRefused("taker", after: 5399) == false)
    }

    @Test("Approving is for certificate managers of the requester, and not for whose key it is")
    func mayApprove() async throws {
        let site = try await Site()
        let admin = Principal(name: "EXAMPLE\\admin", roles: [.administrator, .auditor])
        let denied = await #expect(throws: RequestError.self) { try await site.approve(admin) }
        #expect(denied?.hresult == .accessDenied)
        let own = await #expect(throws: RequestError.self) { try await site.approve("Alice") }
        #expect(own?.hresult == .restrictedOfficer)
        try await site.authority.storage.write {
            try $0.insert(
                ManagerRestriction(
                    manager: "EXAMPLE\\bert", effect: .allow, group: "sales", template: "User"))
        }
        let restricted = await #expect(throws: RequestError.self) { try await site.approve("bert") }
        #expect(restricted?.hresult == .restrictedOfficer)
        let off = await #expect(throws: RequestError.self) {
            try await site.approve("anna", policy: KeyReleasePolicy())
        }
        #expect(off?.code == .releaseNotControlled)
        try await #expect(site.authority.storage.read { try $0.auditHead() } == nil)
    }
}
