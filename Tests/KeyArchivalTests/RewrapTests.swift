import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@testable import CertificateAuthority
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
            surroundings: site.authority.surroundings,
            authorityKeys: [site.authority.certificate.subjectPublicKeyInfo]
        ) { exchange }
    }

    /// With a head over all that was recorded, as the service signs one.
    private func run(
        _ rewrap: KeyRewrap, _ site: ArchivingSite, with cards: [any KeyToken], includingCurrent: Bool = false,
        _ progress: (KeyRewrap.Progress) -> Void = { _ in }
    ) async throws -> KeyRewrap.Report {
        try await site.authority.signAuditHead()
        return try await rewrap.run(
            with: cards, includingCurrent: includingCurrent, by: Self.administrator, progress)
    }

    /// The agent whose key is on a card, and an archived key of alice's.
    private func archived(
        _ site: ArchivingSite, _ card: TestToken, _ encryption: PrivateKeyEncryption = .aesKeyWrapPadded
    ) async throws -> (agent: CertificateFields, record: ArchivedKeyRecord) {
        let agent = try await site.authority.addAgent(
            "Old",
            key: SubjectPublicKeyInfo(derEncoded: card.generate(.keyRecoveryAgent, label: "old").subjectPublicKeyInfo))
        return (agent, try await self.archived(site, "alice", encryption))
    }

    /// A key that is archived as with a request of somebody's.
    private func archived(
        _ site: ArchivingSite, _ name: String, _ encryption: PrivateKeyEncryption = .aesKeyWrapPadded
    ) async throws -> ArchivedKeyRecord {
        let draft = try await site.authority.archiver(site.token.keys).archive(site.userRequest(encryption))
        let issued = try await site.authority.issue(name, to: TestKey.user.publicKey)
        let record = draft.record(forRequest: issued.requestID, at: TestAuthority.now)
        try await site.authority.storage.write { try $0.insert(record) }
        try await site.authority.record(record)
        return record
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
                let report = try await self.run(rewrap, site, with: [card.keys]) { progress in
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

                let again = try await self.run(rewrap, site, with: [card.keys])
                #expect(again == .init(archives: 1, current: 1, rewrapped: 0, notOpened: 0))
                let unopened = try await self.run(
                    rewrap, site, with: [card.keys], includingCurrent: true
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
                    _ = try await self.run(self.rewrap(site), site, with: [card.keys], includingCurrent: true)
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
                    try await self.run(self.rewrap(site, settings: settings), site, with: [card.keys])
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
                    let sealed = try await self.run(together, site, with: [first.keys])
                    #expect(sealed == .init(archives: 1, current: 0, rewrapped: 1, notOpened: 0))
                    let again = try await self.run(together, site, with: [first.keys])
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
        let one = try await self.run(alone, site, with: [first.keys])
        #expect(one.notOpened == 1)
        let both = try await self.run(alone, site, with: [first.keys, second.keys])
        #expect(both.rewrapped == 1)
        let after = try #require(await storage.read { try $0.archivedKey(forRequest: before.requestID) })
        #expect(try ThresholdEnvelope(EnvelopedData(contentInfoDER: after.envelopedDataDER)) == nil)
        let evidence = try ArchivalEvidence(json: after.evidenceJSON)
        #expect(evidence.previous?.count == 2 && evidence.previous?.last?.cards.count == 2)
    }

    /// What somebody with the database has made of alice's record.
    enum Forgery: String, CaseIterable, Sendable {
        /// Another key of the same agent's, and evidence that fits it, before the audit chain had the hash of it.
        case otherKey
        /// Another key, and the evidence as it was.
        case otherEnvelope
        /// Another key and its evidence, and the audit chain as it was.
        case otherEvidence
        /// Cut off.
        case damaged
        /// Evidence that the audit chain has no hash of.
        case notRecorded
        /// The audit chain has the hash, and no head of it is signed.
        case notSigned
        /// Somebody else's key has signed the head.
        case forgedHead

        var code: ArchivalError.Code? {
            switch self {
            case .otherKey: .keyMismatch
            case .otherEnvelope, .otherEvidence: .changedRecord
            case .damaged: nil
            case .notRecorded, .notSigned, .forgedHead: .evidenceNotSigned
            }
        }

        var hresult: HRESULT {
            switch self {
            case .otherKey: .badKey
            case .otherEnvelope, .otherEvidence: .hashValue
            case .damaged: .invalidData
            case .notRecorded, .notSigned, .forgedHead: .badSignature
            }
        }

        /// What the error says of it.
        var reason: String {
            switch self {
            case .otherKey: "does not belong to"
            case .otherEnvelope, .otherEvidence: "is not what the audit chain has the hash of"
            case .damaged: "is malformed"
            case .notRecorded: "the audit chain has no hash of its evidence"
            case .notSigned: "is under no signature of the CA"
            case .forgedHead: "is not the CA's"
            }
        }
    }

    @Test(
        "A record that was altered, or whose evidence the CA has not signed, is refused by its code and holds up no other",
        arguments: Forgery.allCases)
    func forged(_ forgery: Forgery) async throws {
        try await ArchivingSite.with(agents: 0) { site in
            try await TestToken.with(.softHSM, label: "old card") { card in
                let agent = try await site.authority.addAgent(
                    "Old",
                    key: SubjectPublicKeyInfo(
                        derEncoded: card.generate(.keyRecoveryAgent, label: "old").subjectPublicKeyInfo))
                let bob = try await self.archived(site, "bob")
                try await site.authority.signAuditHead()
                let forged = try await self.forged(forgery, site)
                try await self.replace(agent, site)
                var refused: [(Int64, any DiagnosableError)] = []
                let report = try await self.rewrap(site).run(with: [card.keys], by: Self.administrator) { progress in
                    guard case .refused(let requestID, let error) = progress else { return }
                    refused.append((requestID, error))
                }
                #expect(report == .init(archives: 2, current: 0, rewrapped: 1, notOpened: 0, refused: 1))
                #expect(refused.map(\.0) == [forged.requestID])
                let error = try #require(refused.first?.1)
                #expect((error as? ArchivalError)?.code == forgery.code && error.hresult == forgery.hresult, "\(error)")
                #expect(error.headline.contains(forgery.reason), "\(error.headline)")
                let storage = site.authority.storage
                #expect(try await storage.read { try $0.archivedKey(forRequest: forged.requestID) } == forged)
                #expect(try await storage.read { try $0.archivedKey(forRequest: bob.requestID) } != bob)
                let rewrapped = try await storage.read { try $0.auditEntries(after: 0, limit: 100) }
                    .filter { $0.event.id == .keyRewrapped }.map { $0.event.details["Request ID"] }
                #expect(rewrapped == ["\(bob.requestID)"])
            }
        }
    }

    /// Alice's key, archived and then altered in the database.
    private func forged(_ forgery: Forgery, _ site: ArchivingSite) async throws -> ArchivedKeyRecord {
        let authority = site.authority
        let mine = try await authority.archiver(site.token.keys).archive(site.userRequest(.aesKeyWrapPadded))
        let other = try await authority.archiver(site.token.keys)
            .archive(site.request(TestKey.other.privateKey, of: TestKey.other.publicKey, .aesKeyWrapPadded))
        let issued = try await authority.issue("alice", to: TestKey.user.publicKey)
        let archived = mine.record(forRequest: issued.requestID, at: TestAuthority.now)
        var record = archived
        switch forgery {
        case .otherKey, .otherEvidence:
            record.envelopedDataDER = other.envelopedDataDER
            var evidence = try ArchivalEvidence(json: other.evidenceJSON)
            evidence.publicKeySHA256 = Hexadecimal.lower(try TestKey.user.publicKey.sha256)
            record.evidenceJSON = try evidence.json()
        case .otherEnvelope: record.envelopedDataDER = other.envelopedDataDER
        case .damaged: record.envelopedDataDER.removeLast()
        case .notRecorded, .notSigned, .forgedHead: break
        }
        let forged = record
        try await authority.storage.write { try $0.insert(forged) }
        if forgery != .notRecorded { try await authority.record(forgery == .otherKey ? forged : archived) }
        switch forgery {
        case .notSigned: break
        case .forgedHead: try await authority.signAuditHead(with: SoftwareKeys.generate(.p256))
        default: try await authority.signAuditHead()
        }
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

extension TestAuthority {
    /// Records that a key was archived, as the CA does.
    fileprivate func record(_ key: ArchivedKeyRecord) async throws {
        let event = AuditEvent(
            .keyArchived, when: TestAuthority.now, who: "alice",
            details: [
                "Request ID": "\(key.requestID)",
                "Evidence SHA-256": Hexadecimal.lower(Digest.sha256.hash(Array(key.evidenceJSON.utf8))),
            ])
        try await self.storage.write { try $0.append(event) }
    }

    /// - Parameter key: not the CA's own.
    fileprivate func signAuditHead(with key: SecretBytes? = nil) async throws {
        let (newest, latest) = try await self.storage.read { (try $0.auditHead(), try $0.latestSignedAuditHead()) }
        guard let head = newest, head.sequence > latest?.sequence ?? 0 else { return }
        let draft = try SignedDataDraft(
            eContentType: OID.data,
            eContent: SignedAuditHead.statement(
                sequence: head.sequence, hash: head.hash, when: TestAuthority.now),
            signer: .issuerAndSerialNumber(IssuerAndSerialNumber(self.certificate)),
            signatureAlgorithm: .ecdsaWithSHA256)
        let statement = try draft.assemble(signature: self.sign(draft.bytesToSign, with: key))
        let signed = SignedAuditHead(
            sequence: head.sequence, hash: head.hash, signedWhen: TestAuthority.now, number: "\(head.sequence)",
            statementDER: statement)
        try await self.storage.write { try $0.insert(signed) }
    }
}
