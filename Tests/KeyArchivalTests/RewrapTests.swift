import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@testable import KeyArchival

@Suite("Encrypting archived keys anew")
struct RewrapTests {
    private static let administrator = Principal(name: "EXAMPLE\\admin", roles: [.administrator])

    private func rewrap(
        _ site: ArchivingSite, settings: ArchivalSettings = ArchivalSettings(), count: Int = 1
    ) throws -> KeyRewrap {
        let exchange = site.exchangeForImport
        return try KeyRewrap(
            storage: site.authority.storage,
            archiver: site.authority.archiver(site.token.keys, settings: settings, count: count),
            agents: site.authority.agents(count: count), settings: settings,
            surroundings: site.authority.surroundings
        ) { exchange }
    }

    /// The agent whose key is on a card, and an archived key of alice's.
    private func archived(
        _ site: ArchivingSite, _ card: TestToken, _ encryption: PrivateKeyEncryption = .aesKeyWrapPadded
    ) async throws -> (agent: CertificateFields, record: ArchivedKeyRecord) {
        let agent = try await site.authority.addAgent(
            "Old",
            key: SubjectPublicKeyInfo(derEncoded: card.generate(.keyRecoveryAgent, label: "old").subjectPublicKeyInfo))
        let draft = try await site.authority.archiver(site.token.keys).archive(site.userRequest(encryption))
        let issued = try await site.authority.issue("alice", to: TestKey.user.publicKey)
        let record = draft.record(forRequest: issued.requestID, at: TestAuthority.now)
        try await site.authority.storage.write { try $0.insert(record) }
        return (agent, record)
    }

    /// In the place of the old agent comes one whose key is in software.
    private func replace(_ agent: CertificateFields, _ site: ArchivingSite) async throws {
        try await site.authority.storage.write {
            try $0.removeKeyRecoveryAgent(sha1Thumbprint: agent.sha1Thumbprint, at: TestAuthority.now)
        }
        try await site.authority.addAgent("New", key: TestKey.agents[0].publicKey)
    }

    private func opened(_ record: ArchivedKeyRecord, _ site: ArchivingSite) throws -> PrivateKeyInfo {
        try site.open(
            ArchivedKeyDraft(
                format: record.format, envelopedDataDER: record.envelopedDataDER, kraHashes: [], evidenceJSON: ""),
            agent: 0)
    }

    static let tokens: [(SoftwareToken.Kind, Bool)] = [
        (.softHSM, true), (.softHSM, false), (.nss, true), (.nss, false),
    ]

    @Test("After an agent has left, keys are encrypted to those of today, and only once", arguments: tokens)
    func rewrap(_ kind: SoftwareToken.Kind, isWrapped: Bool) async throws {
        let overrides = isWrapped ? [:] : TestToken.withoutKeyWrap
        try await ArchivingSite.with(kind, agents: 0, overrides: overrides) { site in
            try await TestToken.with(kind, label: "old card", overrides: overrides) { card in
                let (agent, before) = try await self.archived(site, card)
                try await self.replace(agent, site)
                let rewrap = try self.rewrap(site)
                let report = try await rewrap.run(with: [card.keys], by: Self.administrator) { progress in
                    guard case .rewrapped(before.requestID, wasWrapped: isWrapped) = progress else {
                        Issue.record("\(progress)")
                        return
                    }
                }
                #expect(report == .init(archives: 1, current: 0, rewrapped: 1, notOpened: 0))
                let after = try #require(
                    await site.authority.storage.read { try $0.archivedKey(forRequest: before.requestID) })
                #expect(after.kraHashes != before.kraHashes && after.kraHashes.count == 1)
                try #expect(self.opened(after, site).derBytes.matches(TestKey.user.privateKey))
                // The old recipient is gone.
                let recipients = try EnvelopedData(contentInfoDER: after.envelopedDataDER).recipients
                #expect(!recipients.contains { $0.rid.names(agent) })
                try await self.checkEvidence(site, before, after, wasInHostMemory: !isWrapped)

                let again = try await rewrap.run(with: [card.keys], by: Self.administrator) { _ in }
                #expect(again == .init(archives: 1, current: 1, rewrapped: 0, notOpened: 0))
                let unopened = try await rewrap.run(
                    with: [card.keys], includingCurrent: true, by: Self.administrator
                ) { progress in
                    guard case .notOpened(before.requestID) = progress else {
                        Issue.record("\(progress)")
                        return
                    }
                }
                #expect(unopened.notOpened == 1)
            }
        }
    }

    /// What was known of the key before is kept, and the audit chain has the hash of what is known now.
    private func checkEvidence(
        _ site: ArchivingSite, _ before: ArchivedKeyRecord, _ after: ArchivedKeyRecord, wasInHostMemory: Bool
    ) async throws {
        let evidence = try ArchivalEvidence(json: after.evidenceJSON)
        let previous = try #require(evidence.previous?.first)
        #expect(try previous.evidence?.json() == before.evidenceJSON)
        #expect(previous.evidenceSHA256 == Hexadecimal.lower(Digest.sha256.hash(Array(before.evidenceJSON.utf8))))
        #expect(previous.kraHashes == before.kraHashes && previous.by == "EXAMPLE\\admin")
        #expect(previous.wasInHostMemory == wasInHostMemory && evidence.wasInHostMemory == wasInHostMemory)
        #expect(evidence.envelopedDataSHA256 == Hexadecimal.lower(Digest.sha256.hash(after.envelopedDataDER)))
        let head = try await site.authority.storage.read { try $0.auditHead() }
        #expect(head?.event.id == .keyRewrapped)
        #expect(head?.event.details["Previous KRA Hashes"] == before.kraHashes[0])
        #expect(
            head?.event.details["Evidence SHA-256"]
                == Hexadecimal.lower(Digest.sha256.hash(Array(after.evidenceJSON.utf8))))
    }

    @Test("A key that was encrypted anew twice has both earlier records, one after the other")
    func twice() async throws {
        try await ArchivingSite.with(agents: 0) { site in
            try await TestToken.with(.softHSM, label: "old card") { card in
                let (_, first) = try await self.archived(site, card)
                for _ in 0..<2 {
                    _ = try await self.rewrap(site).run(
                        with: [card.keys], includingCurrent: true, by: Self.administrator
                    ) { _ in }
                }
                let last = try #require(
                    await site.authority.storage.read { try $0.archivedKey(forRequest: first.requestID) })
                let previous = try ArchivalEvidence(json: last.evidenceJSON).previous ?? []
                #expect(previous.count == 2 && previous.allSatisfy { $0.evidence?.previous == nil })
                let recorded = try await site.authority.storage.read { try $0.auditEntries(after: 0, limit: 100) }
                    .filter { $0.event.id == .keyRewrapped }.compactMap { $0.event.details["Evidence SHA-256"] }
                #expect(recorded.first == previous.last?.evidenceSHA256)
            }
        }
    }

    @Test("Where keys must not be in host memory, one that the card cannot pass on wrapped stays as it is")
    func hostPlaintext() async throws {
        try await ArchivingSite.with(agents: 0) { site in
            try await TestToken.with(.softHSM, label: "old card", overrides: TestToken.withoutKeyWrap) { card in
                let (agent, before) = try await self.archived(site, card)
                try await self.replace(agent, site)
                let settings = ArchivalSettings(isHostPlaintextAllowed: false)
                let error = await #expect(throws: ArchivalError.self) {
                    try await self.rewrap(site, settings: settings).run(
                        with: [card.keys], by: Self.administrator
                    ) { _ in }
                }
                #expect(error?.code == .pathNotAvailable)
                let after = try await site.authority.storage.read { try $0.archivedKey(forRequest: before.requestID) }
                #expect(after == before)
            }
        }
    }

    @Test(
        "Keys that several agents open together are encrypted anew with as many cards, and back to one agent",
        arguments: [SoftwareToken.Kind.softHSM, .nss])
    func threshold(_ kind: SoftwareToken.Kind) async throws {
        try await ArchivingSite.with(kind, agents: 0) { site in
            try await TestToken.with(kind, label: "first card") { first in
                try await TestToken.with(kind, label: "second card") { second in
                    let (_, before) = try await self.archived(site, first)
                    let other = try await second.generate(.keyRecoveryAgent, label: "second")
                    try await site.authority.addAgent(
                        "Second", key: SubjectPublicKeyInfo(derEncoded: other.subjectPublicKeyInfo))
                    // Today it takes two agents: a key that one opens alone is not as is wanted.
                    let together = try self.rewrap(site, settings: ArchivalSettings(threshold: 2), count: 2)
                    let sealed = try await together.run(with: [first.keys], by: Self.administrator) { _ in }
                    #expect(sealed == .init(archives: 1, current: 0, rewrapped: 1, notOpened: 0))
                    let again = try await together.run(with: [first.keys], by: Self.administrator) { _ in }
                    #expect(again.current == 1)
                    try await self.backToOne(site, before, first, second)
                }
            }
        }
    }

    private func backToOne(
        _ site: ArchivingSite, _ before: ArchivedKeyRecord, _ first: TestToken, _ second: TestToken
    ) async throws {
        let storage = site.authority.storage
        let alone = try self.rewrap(site)
        let one = try await alone.run(with: [first.keys], by: Self.administrator) { _ in }
        #expect(one.notOpened == 1)
        let both = try await alone.run(with: [first.keys, second.keys], by: Self.administrator) { _ in }
        #expect(both.rewrapped == 1)
        let after = try #require(await storage.read { try $0.archivedKey(forRequest: before.requestID) })
        #expect(try ThresholdEnvelope(EnvelopedData(contentInfoDER: after.envelopedDataDER)) == nil)
        let evidence = try ArchivalEvidence(json: after.evidenceJSON)
        #expect(evidence.previous?.count == 2 && evidence.previous?.last?.cards.count == 2)
    }

    /// What somebody with the database has made of alice's record.
    enum Forgery: String, CaseIterable, Sendable {
        /// Another key of the same agent's, and evidence that fits it.
        case otherKey
        /// Another key, and the evidence as it was.
        case otherEnvelope
        /// Cut off.
        case damaged
    }

    @Test(
        "A record that was altered in the database is refused with its own code, stays as it is, and holds up no other",
        arguments: Forgery.allCases)
    func forged(_ forgery: Forgery) async throws {
        try await ArchivingSite.with(agents: 0) { site in
            try await TestToken.with(.softHSM, label: "old card") { card in
                let (agent, alice) = try await self.archived(site, card)
                let bob = try await self.archivedBesides(site, "bob")
                let forged = try await self.forge(alice, forgery, site)
                try await self.replace(agent, site)
                var refused: [(Int64, ArchivalError.Code?, HRESULT)] = []
                let report = try await self.rewrap(site).run(with: [card.keys], by: Self.administrator) { progress in
                    guard case .refused(let requestID, let error) = progress else { return }
                    refused.append((requestID, (error as? ArchivalError)?.code, error.hresult))
                }
                #expect(report == .init(archives: 2, current: 0, rewrapped: 1, notOpened: 0, refused: 1))
                #expect(refused.map(\.0) == [alice.requestID])
                switch forgery {
                case .otherKey: #expect(refused[0].1 == .keyMismatch && refused[0].2 == .badKey)
                case .otherEnvelope: #expect(refused[0].1 == .changedRecord && refused[0].2 == .hashValue)
                case .damaged: #expect(refused[0].1 == nil && refused[0].2 == .invalidData)
                }
                let storage = site.authority.storage
                #expect(try await storage.read { try $0.archivedKey(forRequest: alice.requestID) } == forged)
                #expect(try await storage.read { try $0.archivedKey(forRequest: bob.requestID) } != bob)
                let rewrapped = try await storage.read { try $0.auditEntries(after: 0, limit: 100) }
                    .filter { $0.event.id == .keyRewrapped }.map { $0.event.details["Request ID"] }
                #expect(rewrapped == ["\(bob.requestID)"])
            }
        }
    }

    private func archivedBesides(_ site: ArchivingSite, _ name: String) async throws -> ArchivedKeyRecord {
        let draft = try await site.authority.archiver(site.token.keys).archive(site.userRequest(.aesKeyWrapPadded))
        let issued = try await site.authority.issue(name, to: TestKey.user.publicKey)
        let record = draft.record(forRequest: issued.requestID, at: TestAuthority.now)
        try await site.authority.storage.write { try $0.insert(record) }
        return record
    }

    private func forge(
        _ record: ArchivedKeyRecord, _ forgery: Forgery, _ site: ArchivingSite
    ) async throws -> ArchivedKeyRecord {
        let other = try await site.authority.archiver(site.token.keys)
            .archive(site.request(TestKey.other.privateKey, of: TestKey.other.publicKey, .aesKeyWrapPadded))
        var made = record
        switch forgery {
        case .otherKey:
            made.envelopedDataDER = other.envelopedDataDER
            var evidence = try ArchivalEvidence(json: other.evidenceJSON)
            evidence.publicKeySHA256 = Hexadecimal.lower(try TestKey.user.publicKey.sha256)
            made.evidenceJSON = try evidence.json()
        case .otherEnvelope: made.envelopedDataDER = other.envelopedDataDER
        case .damaged: made.envelopedDataDER.removeLast()
        }
        let forged = made
        try await site.authority.storage.write { try $0.replace(forged) }
        return forged
    }

    @Test("Only administrators encrypt archived keys anew")
    func denied() async throws {
        try await ArchivingSite.with(hasExchangeKey: false) { site in
            let error = await #expect(throws: RequestError.self) {
                try await self.rewrap(site).run(
                    with: [], by: Principal(name: "EXAMPLE\\manager", roles: [.certificateManager])
                ) { _ in }
            }
            #expect(error?.hresult == .accessDenied)
        }
    }
}
