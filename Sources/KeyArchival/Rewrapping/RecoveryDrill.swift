package import CertificateAuthority
import Diagnostics
package import Foundation
package import KeyProvider
package import PKIMessages

/// Proves that archived keys can be recovered: a sample is taken from the database as for a user, opened with the cards of
/// agents and proven against its certificate, on the card where it can.
package struct RecoveryDrill: Sendable {
    package struct Report: Sendable, Equatable, Codable {
        package struct Failure: Sendable, Equatable, Codable {
            package var requestID: Int64
            package var reason: String
        }

        package var startedWhen: Date
        package var endedWhen: Date
        package var who: String
        package var cards: [String]
        package var recovered: [Int64] = []
        /// Those of the recovered ones that were in locked memory of this host.
        package var inHostMemory: [Int64] = []
        /// Of other agents than those with the cards.
        package var ofOtherAgents: [Int64] = []
        package var failures: [Failure] = []

        func json() throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.dateEncodingStrategy = .iso8601
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }

        /// Nothing failed, and something was proven.
        package var isGood: Bool { self.failures.isEmpty && !self.recovered.isEmpty }
    }

    private let storage: any CAStorage
    private let blobs: RecoveryBlobBuilder
    private let authorities: [CertificateFields]
    private let isHostPlaintextAllowed: Bool
    private let surroundings: Surroundings

    /// - Parameters:
    ///   - blobs: without approvals of other managers: nothing that it makes leaves the process.
    ///   - authorities: this CA's certificates, which the blobs are checked with.
    ///   - isHostPlaintextAllowed: false stops at the first key that the cards cannot prove by themselves.
    package init(
        storage: any CAStorage, blobs: RecoveryBlobBuilder, authorities: [CertificateFields],
        isHostPlaintextAllowed: Bool, surroundings: Surroundings
    ) {
        self.storage = storage
        self.blobs = blobs
        self.authorities = authorities
        self.isHostPlaintextAllowed = isHostPlaintextAllowed
        self.surroundings = surroundings
    }

    /// Draws a sample and stores the report, also of a drill in which keys failed.
    ///
    /// - Parameters:
    ///   - sample: how many archives at most; all where there are not more.
    ///   - cards: of agents, as many as have to act together.
    /// - Throws: ``RequestError`` without the role of certificate manager for the requesters; ``ArchivalError`` with code
    ///   `pathNotAvailable`; what drawing, storing and a token that is away throw. A key that does not open is in the report.
    package func run(sample: Int, with cards: [any KeyToken], by who: Principal) async throws -> Report {
        try who.mustBeAllowed(.retrieveArchivedKey, to: "prove that archived keys can be recovered")
        var report = Report(
            startedWhen: self.surroundings.now(), endedWhen: self.surroundings.now(), who: who.name,
            cards: cards.map { "\($0.identification)" })
        for requestID in try await self.drawn(sample).sorted() {
            let blob: [UInt8]
            do {
                blob = try await self.blobs.recoveryBlob(forRequest: requestID, by: who)
            } catch let error as ArchivalError where [.noArchivedKey, .agentCertificateMissing].contains(error.code) {
                report.failures.append(.init(requestID: requestID, reason: error.headline))
                continue
            }
            try await self.prove(blob, ofRequest: requestID, cards, &report)
        }
        report.endedWhen = self.surroundings.now()
        try await self.store(report, by: who)
        return report
    }

    private func prove(
        _ blob: [UInt8], ofRequest requestID: Int64, _ cards: [any KeyToken], _ report: inout Report
    ) async throws {
        do {
            guard let opened = try await KeyRecovery(blobDER: blob, trusting: self.authorities).unsealed(with: cards),
                let card = try await opened.recovery.fittingCard(among: cards)
            else {
                report.ofOtherAgents.append(requestID)
                return
            }
            let wasInHostMemory = try await opened.recovery.prove(
                with: card, isHostPlaintextAllowed: self.isHostPlaintextAllowed)
            report.recovered.append(requestID)
            if wasInHostMemory { report.inHostMemory.append(requestID) }
        } catch let error as any DiagnosableError {
            guard error.concernsOneArchivedKey else { throw error }
            report.failures.append(.init(requestID: requestID, reason: error.headline))
        }
    }

    private func store(_ report: Report, by who: Principal) async throws {
        try await self.storage.write { db in
            try db.insert(
                RecoveryDrillRecord(
                    endedWhen: report.endedWhen, who: who.name, isGood: report.isGood, reportJSON: report.json()))
            try db.append(
                AuditEvent(
                    .recoveryDrilled, when: report.endedWhen, who: who.name,
                    details: [
                        "Cards": report.cards.joined(separator: "\n"), "Recovered": "\(report.recovered.count)",
                        "Of other agents": "\(report.ofOtherAgents.count)", "Failed": "\(report.failures.count)",
                    ]))
        }
    }

    /// Requests with an archived key, each drawn at a random place of the numbers.
    private func drawn(_ sample: Int) async throws -> Set<Int64> {
        let random = self.surroundings.randomBytes
        return try await self.storage.read { db in
            let count = try db.archivedKeyCount()
            guard let highest = try db.highestArchivedKey(), count > 0 else { return [] }
            if count <= sample {
                return Set(try db.archivedKeys(afterRequest: 0, limit: sample).map(\.requestID))
            }
            var drawn: Set<Int64> = []
            // A place in a gap stands for the next key, so that some are drawn twice; then another place is tried.
            for _ in 0..<(sample * 20) where drawn.count < sample {
                let number = try random(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % UInt64(highest)
                if let key = try db.archivedKeys(afterRequest: Int64(number), limit: 1).first {
                    drawn.insert(key.requestID)
                }
            }
            return drawn
        }
    }
}

extension KeyRecovery {
    /// The first card with the key of an agent.
    fileprivate func fittingCard(among cards: [any KeyToken]) async throws -> (any KeyToken)? {
        for card in cards where try await self.opening(on: card) != nil { return card }
        return nil
    }
}

extension DiagnosableError {
    /// False for what would happen to every archived key: a token that is away, a path that is not allowed, no agent.
    var concernsOneArchivedKey: Bool {
        if let error = self as? ArchivalError {
            let own: [ArchivalError.Code] = [
                .keyMismatch, .changedRecord, .evidenceNotSigned, .noArchivedKey, .agentCertificateMissing,
                .malformedKey, .notDecrypted,
                .signatureOnlyKey, .unsupportedKey, .foreignShare, .badShare, .duplicateShare,
            ]
            return own.contains(error.code)
        }
        if let error = self as? KeyProviderError { return RefusedCiphertext(error) != nil }
        return self is PKIMessageError
    }
}
