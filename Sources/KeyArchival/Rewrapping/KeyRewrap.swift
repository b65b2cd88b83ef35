package import CertificateAuthority
package import Diagnostics
import Foundation
package import KeyProvider
package import PKIMessages

/// Encrypts archived keys anew, to the agents of today, with the cards of agents who still can: after an agent has left
/// or a card is lost.
///
/// Each key goes from a card to the CA's exchange key and is archived as one that came with a request, so that proof,
/// formats and the symmetric key from the CA's token are those of every archive. What was recorded of the key before is
/// kept in its evidence. A key is either as it was or as it is to be; an interrupted run goes on with those that are left.
package struct KeyRewrap: Sendable {
    package enum Progress: Sendable {
        case rewrapped(requestID: Int64, wasWrapped: Bool)
        /// The keys of its agents are not on the cards, or not of as many as have to act together.
        case notOpened(requestID: Int64)
        /// Left as it was, because of a fault that is this key's own.
        case refused(requestID: Int64, any DiagnosableError)
    }

    package struct Report: Sendable, Equatable {
        /// That were looked at.
        package var archives = 0
        /// Encrypted to agents of today already, as is wanted today.
        package var current = 0
        package var rewrapped = 0
        package var notOpened = 0
        /// Records that were changed, or whose key is not the certificate's.
        package var refused = 0
    }

    private static let portion = 50

    private let storage: any CAStorage
    private let archiver: any KeyArchiver
    private let exchange: @Sendable () async throws -> KeyImporter.Exchange
    private let agents: KRASelection
    private let settings: ArchivalSettings
    private let surroundings: Surroundings
    private let authorityKeys: [SubjectPublicKeyInfo]

    /// - Parameters:
    ///   - settings: those of the archiver.
    ///   - authorityKeys: the CA's own, one of which must have signed the evidence of each key.
    ///   - exchange: gives the current exchange certificate.
    package init(
        storage: any CAStorage, archiver: any KeyArchiver, agents: KRASelection, settings: ArchivalSettings,
        surroundings: Surroundings, authorityKeys: [SubjectPublicKeyInfo],
        exchange: @escaping @Sendable () async throws -> KeyImporter.Exchange
    ) {
        self.storage = storage
        self.authorityKeys = authorityKeys
        self.archiver = archiver
        self.agents = agents
        self.settings = settings
        self.surroundings = surroundings
        self.exchange = exchange
    }

    /// - Parameters:
    ///   - cards: of agents who can open the archives; as many as have to act together.
    ///   - includingCurrent: also those that are encrypted as is wanted today.
    /// - Throws: ``RequestError`` without the role of administrator; ``ArchivalError`` with code `pathNotAvailable` where a
    ///   key would be in host memory and must not; what a token or the archival throws: the archives before it are done, that
    ///   one is as it was. A fault of one key is told as progress, and the others are gone on with.
    package func run(
        with cards: [any KeyToken], includingCurrent: Bool = false, by who: Principal, _ progress: (Progress) -> Void
    ) async throws -> Report {
        try who.mustBeAllowed(.manageRecoveryAgents, to: "encrypt archived keys anew")
        let present = Set(try await self.agents.ready().map { Hexadecimal.lower($0.sha1Thumbprint) })
        let exchange = try await self.exchange()
        let ledger = try await EvidenceLedger(storage: self.storage, authorityKeys: self.authorityKeys)
        var report = Report()
        var last: Int64 = 0
        while true {
            let after = last
            let keys = try await self.storage.read { try $0.archivedKeys(afterRequest: after, limit: Self.portion) }
            guard let end = keys.last else {
                try await self.storage.forgetDeleted()
                return report
            }
            for key in keys {
                report.archives += 1
                do {
                    if try !includingCurrent && self.isCurrent(key, present) {
                        report.current += 1
                        continue
                    }
                    guard let wasWrapped = try await self.rewrap(key, ledger, cards, exchange, by: who) else {
                        report.notOpened += 1
                        progress(.notOpened(requestID: key.requestID))
                        continue
                    }
                    report.rewrapped += 1
                    progress(.rewrapped(requestID: key.requestID, wasWrapped: wasWrapped))
                } catch let error as any DiagnosableError where error.concernsOneArchivedKey {
                    report.refused += 1
                    progress(.refused(requestID: key.requestID, error))
                }
            }
            last = end.requestID
        }
    }

    /// How many archived keys are not encrypted as is wanted today.
    ///
    /// - Throws: ``ArchivalError`` while there are no agents who could have them.
    package func outdated() async throws -> Int {
        let present = Set(try await self.agents.ready().map { Hexadecimal.lower($0.sha1Thumbprint) })
        var (count, last) = (0, Int64(0))
        while true {
            let after = last
            let keys = try await self.storage.read { try $0.archivedKeys(afterRequest: after, limit: Self.portion) }
            guard let end = keys.last else { return count }
            count += try keys.count { try !self.isCurrent($0, present) }
            last = end.requestID
        }
    }

    /// Encrypted to agents of today alone, of whom as many have to act together as is wanted today.
    private func isCurrent(_ key: ArchivedKeyRecord, _ present: Set<String>) throws -> Bool {
        let threshold = try ThresholdEnvelope(EnvelopedData(contentInfoDER: key.envelopedDataDER))?.threshold
        return threshold == self.settings.threshold && key.agentThumbprints.allSatisfy(present.contains)
    }

    /// - Returns: whether the key went from token to token wrapped; `nil` when the cards do not open it.
    private func rewrap(
        _ key: ArchivedKeyRecord, _ ledger: EvidenceLedger, _ cards: [any KeyToken], _ exchange: KeyImporter.Exchange,
        by who: Principal
    ) async throws -> Bool? {
        let recovery = try await self.recovery(of: key)
        try key.mustBeAsArchived(recovery.certificate, ledger)
        guard let sealed = try await recovery.unsealed(with: cards) else { return nil }
        for card in cards {
            guard try await sealed.recovery.opening(on: card) != nil else { continue }
            let request = try await sealed.recovery.sealed(
                with: card, to: exchange.certificate, oaepHashes: exchange.oaepHashes,
                isHostPlaintextAllowed: self.settings.isHostPlaintextAllowed)
            let draft = try await self.archiver.archive(
                KeyArchivalRequest(
                    requesterName: who.name, encryptedKeyDER: request.envelopedData.contentInfoDER(),
                    subjectPublicKeyInfo: sealed.recovery.certificate.subjectPublicKeyInfo.derBytes))
            let names = (sealed.cards.isEmpty ? [card] : sealed.cards).map { "\($0.identification)" }
            try await self.store(draft, inPlaceOf: key, cards: names, wasWrapped: request.wasWrapped, by: who)
            return request.wasWrapped
        }
        return nil
    }

    private func recovery(of key: ArchivedKeyRecord) async throws -> KeyRecovery {
        try await self.storage.read { db in
            guard let certificate = try db.certificate(forRequest: key.requestID) else {
                throw ArchivalError.noArchivedKey(requestID: key.requestID, "no certificate was issued for it")
            }
            let agents = try key.agentThumbprints.compactMap { hash in
                try Hexadecimal.bytes(hash).flatMap { try db.keyRecoveryAgent(sha1Thumbprint: $0) }
            }
            return try KeyRecovery(
                envelopedDataDER: key.envelopedDataDER, certificateDER: certificate.certificateDER,
                agentsDER: agents.map(\.certificateDER))
        }
    }

    private func store(
        _ draft: ArchivedKeyDraft, inPlaceOf key: ArchivedKeyRecord, cards: [String], wasWrapped: Bool,
        by who: Principal
    ) async throws {
        let now = self.surroundings.now()
        var evidence = try ArchivalEvidence(json: draft.evidenceJSON)
        try evidence.follow(key, until: now, by: who.name, cards: cards, wasInHostMemory: !wasWrapped)
        var made = draft.record(forRequest: key.requestID, at: key.archivedWhen)
        made.evidenceJSON = try evidence.json()
        let record = made
        try await self.storage.write { db in
            // Somebody else may have been here meanwhile.
            guard try db.archivedKey(forRequest: key.requestID) == key else {
                throw ArchivalError.noArchivedKey(requestID: key.requestID, "its archived key was changed meanwhile")
            }
            try db.replace(record)
            try db.append(
                AuditEvent(
                    .keyRewrapped, when: now, who: who.name,
                    details: [
                        "Request ID": "\(key.requestID)", "Cards": cards.joined(separator: "\n"),
                        "KRA Hashes": record.kraHashes.joined(separator: "\n"),
                        "Previous KRA Hashes": key.kraHashes.joined(separator: "\n"),
                        "Evidence SHA-256": Hexadecimal.lower(Digest.sha256.hash(Array(record.evidenceJSON.utf8))),
                    ]))
        }
    }
}

extension ArchivedKeyRecord {
    /// The CA key vouches for the evidence, and the evidence has hashes of what it is evidence of: another archive would get
    /// a history that is not its own.
    ///
    /// - Throws: ``ArchivalError``: `changedRecord` (0x80091007), `evidenceNotSigned` (0x80090006).
    fileprivate func mustBeAsArchived(_ certificate: CertificateFields, _ ledger: EvidenceLedger) throws {
        // `try?`: evidence that cannot be read is not what was recorded.
        let evidence = try? ArchivalEvidence(json: self.evidenceJSON)
        try ledger.mustBeSigned(self, evidence)
        guard evidence?.publicKeySHA256 == Hexadecimal.lower(certificate.subjectPublicKeyInfo.sha256) else {
            throw ArchivalError.changedRecord(
                requestID: self.requestID, "its evidence is of another key than the certificate's")
        }
    }

    /// SHA-1 of the agents' certificates, lower-case hexadecimal without blanks.
    fileprivate var agentThumbprints: [String] { self.kraHashes.map { $0.filter { $0 != " " } } }
}

extension ArchivalEvidence {
    /// Takes up what was recorded of the archive in whose place this one comes.
    fileprivate mutating func follow(
        _ key: ArchivedKeyRecord, until: Date, by who: String, cards: [String], wasInHostMemory: Bool
    ) throws {
        let before = try ArchivalEvidence(json: key.evidenceJSON)
        var alone = before
        alone.previous = nil
        self.previous =
            (before.previous ?? []) + [
                Previous(
                    evidence: alone,
                    evidenceSHA256: Hexadecimal.lower(Digest.sha256.hash(Array(key.evidenceJSON.utf8))),
                    kraHashes: key.kraHashes, until: until.ISO8601Format(), by: who, cards: cards,
                    wasInHostMemory: wasInHostMemory)
            ]
    }
}
