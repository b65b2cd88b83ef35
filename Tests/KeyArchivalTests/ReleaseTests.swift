import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import Synchronization
import TestSupport
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
            try await self.authority.storage.write { db in
                try db.insert(key)
                for name in ["anna", "bert", "taker"] {
                    try db.upsert(
                        UserRecord(
                            name: "EXAMPLE\\\(name)", passwordHash: UserRecord.noPassword, roles: [.certificateManager])
                    )
                }
            }
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

    /// What ends the right to approve, after the approval was given.
    private struct Loss: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let happen: @Sendable (any StorageWriting) throws -> Void
    }

    private static let losses = [
        Loss(testDescription: "the role is taken away") {
            try $0.upsert(UserRecord(name: "EXAMPLE\\anna", passwordHash: UserRecord.noPassword, roles: [.reader]))
        },
        Loss(testDescription: "the user is removed") { _ = try $0.removeUser(named: "EXAMPLE\\anna") },
        Loss(testDescription: "the manager is restricted to others") {
            try $0.insert(ManagerRestriction(manager: "EXAMPLE\\anna", effect: .deny))
        },
        Loss(testDescription: "a second role is in conflict under role separation") {
            try $0.setSetting(RoleSettings.separation, to: RoleSettings.on)
            try $0.upsert(
                UserRecord(
                    name: "EXAMPLE\\anna", passwordHash: UserRecord.noPassword, roles: [.certificateManager, .auditor]))
        },
    ]

    @Test("An approval ends with the right to give it", arguments: losses)
    private func lost(_ loss: Loss) async throws {
        let site = try await Site()
        try await site.approve("anna")
        try await site.approve("bert")
        try await site.authority.storage.write { try loss.happen($0) }
        let error = await #expect(throws: RequestError.self) { try await site.take("taker") }
        #expect(error?.code == .releaseNotApproved)
        #expect(error?.facts.filter { $0.name.hasPrefix("approval that ended") }.map(\.value) == ["EXAMPLE\\anna"])
        #expect(error?.facts.filter { $0.name == "approved by" }.map(\.value) == ["EXAMPLE\\bert"])
    }

    @Test("An account of the machine counts by what the machine says of it at the time")
    func systemAccount() async throws {
        let site = try await Site()
        let account = SystemAccount(host: "host", name: "olga", groups: ["managers"], ownsInstance: false)
        let isListed = Mutex(true)
        let accounts = SystemAccounts { name in
            name == account.principalName && isListed.withLock { $0 } ? account : nil
        }
        let policy = KeyReleasePolicy(approvals: 1, validity: 3600, accounts: accounts)
        try await site.authority.storage.write {
            try $0.upsert(IdentityMapping(source: .systemGroup, name: "managers", roles: [.certificateManager]))
        }
        let olga = try await site.authority.storage.read { try $0.principal(of: account) }
        try await site.approve(olga, policy: policy)
        func approvers() async throws -> ReleaseApprovers {
            try await site.authority.storage.read {
                try $0.approvers(
                    ofRequest: site.requestID, requester: "EXAMPLE\\alice", taker: "EXAMPLE\\taker", policy,
                    at: TestAuthority.now)
            }
        }
        try await #expect(approvers() == ReleaseApprovers(counting: [account.principalName]))
        isListed.withLock { $0 = false }
        try await #expect(approvers() == ReleaseApprovers(lapsed: [account.principalName]))
    }

    @Test("Pruning a request with its archived key takes the approvals of its release along; otherwise all of it stays")
    func pruning() async throws {
        let site = try await Site()
        try await site.approve("anna")
        let late = TestAuthority.now.addingTimeInterval(20 * 365 * 86_400)
        func prune(_ rule: PruningRule) async throws -> Int {
            try await site.authority.storage.write { try $0.prune(rule, after: nil, effort: 1_000, now: late) }
                .requests.count
        }
        func approvals() async throws -> Int {
            try await site.authority.storage.read { try $0.releaseApprovals(ofRequest: site.requestID).count }
        }
        var rule = PruningRule(.expired, before: late)
        _ = try await prune(rule)
        try await #expect(approvals() == 1)
        rule.takesArchivedKeys = true
        try await #expect(prune(rule) > 0)
        try await #expect(approvals() == 0)
        try await #expect(site.authority.storage.read { try $0.archivedKey(forRequest: site.requestID) } == nil)
        try await #expect(site.authority.storage.read { try $0.request(site.requestID) } == nil)
    }

    @Test("Who may not have the key learns that, and not that an agent's certificate is missing")
    func orderOfChecks() async throws {
        let site = try await Site()
        let key = ArchivedKeyRecord(
            requestID: try await site.authority.issue("bob", to: TestKey.user.publicKey).requestID, format: .cmsAES,
            envelopedDataDER: [], kraHashes: ["0a 0b"], evidenceJSON: "{}", archivedWhen: TestAuthority.now)
        try await site.authority.storage.write {
            try $0.insert(key)
            try $0.insert(ManagerRestriction(manager: "EXAMPLE\\bert", effect: .allow, template: "Other"))
        }
        func code(_ name: String) async -> HRESULT? {
            await StatusCodeProofs.thrown {
                _ = try await site.authority.recoveryBlobs.recoveryBlob(
                    forRequest: key.requestID, by: Self.manager(name))
            }
        }
        await #expect(code("bert") == .restrictedOfficer)
        await #expect(code("anna") == .notFound)
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
