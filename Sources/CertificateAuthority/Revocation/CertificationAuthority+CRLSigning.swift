import Diagnostics
import Foundation
import KeyProvider
import PKIMessages

extension CertificationAuthority {
    /// How often a publication begins anew because another process publishes at the same time.
    private static let maximumAttempts = 20

    /// Lists whose intents are stored.
    private struct BegunLists: Sendable {
        var drafts: [CRLDraft]
        var intentIDs: [Int64]
        var number: UInt64
        var administrator: Principal
        var signer: CASigner
    }

    /// Number, snapshot, intents, signatures, outcome. The snapshot is read beside the writes of others: issuance
    /// goes on.
    func makeLists(
        _ scope: CRLScope, _ kind: CRLKind, _ signer: CASigner, by administrator: Principal
    ) async throws -> [CRLRecord] {
        let kinds = try await self.kinds(to: kind, scope)
        let drafts = try await self.drafts(scope, kinds, signer, by: administrator)
        // A large list is some 50 MB, hashed and written beside the threads on which requests are answered.
        let hashes = try await BackgroundThread.run { try drafts.map { try $0.hash(.sha256) } }
        let now = self.surroundings.now()
        let intentIDs = try await self.storage.write { db in
            try zip(drafts, hashes).map { draft, hash in
                try db.insert(
                    SigningIntent(
                        kind: draft.kind == .base ? .crl : .deltaCRL, requestID: nil, number: "\(draft.list.number)",
                        toBeSignedSHA256: hash, caKeyIndex: scope.caKeyIndex, createdWhen: now))
            }
        }
        let begun = BegunLists(
            drafts: drafts, intentIDs: intentIDs, number: drafts.first?.list.number ?? 0,
            administrator: administrator, signer: signer)
        do {
            let records = try await self.sign(begun, hashes)
            try await self.store(records, begun)
            return records
        } catch {
            throw try await self.recordFailure(error, begun)
        }
    }

    /// A delta list needs a complete one; a complete one comes with a delta list where the CA has them.
    private func kinds(to kind: CRLKind, _ scope: CRLScope) async throws -> Set<CRLKind> {
        let hasBase = try await self.storage.read { try $0.latestCRL(scope, .base) != nil }
        if kind == .delta, hasBase { return [.delta] }
        return self.configuration.revocation.deltaPeriod == nil ? [.base] : [.base, .delta]
    }

    private func drafts(
        _ scope: CRLScope, _ kinds: Set<CRLKind>, _ signer: CASigner, by administrator: Principal
    ) async throws -> [CRLDraft] {
        for _ in 0..<CertificationAuthority.maximumAttempts {
            let now = self.surroundings.now()
            let nextUpdate = CRLSchedule(self.configuration).nextUpdate(now, kinds.contains(.base) ? .base : .delta)
            let number = try await self.storage.write { [self] db in
                try db.append(
                    self.event(
                        .crlRequested, who: administrator.name,
                        [
                            "Next Update": "\(nextUpdate)", "Publish Base": kinds.contains(.base) ? "Yes" : "No",
                            "Publish Delta": kinds.contains(.delta) ? "Yes" : "No",
                        ]))
                return try db.reserveCRLNumber()
            }
            let snapshot = CRLSnapshot(
                number: number, scope: scope, kinds: kinds, signer: signer, configuration: self.configuration, now: now)
            if let drafts = try await self.storage.readInBackground({ try snapshot.drafts($0) }) {
                return drafts
            }
        }
        throw IssuanceError.crlContention()
    }

    private func sign(_ begun: BegunLists, _ hashes: [[UInt8]]) async throws -> [CRLRecord] {
        let key = begun.signer.signingKey
        var records: [CRLRecord] = []
        for (draft, hash) in zip(begun.drafts, hashes) {
            let signature: [UInt8]
            if draft.entries.isInFile {
                let digest =
                    key.digest == .sha256 ? hash : try await BackgroundThread.run { try draft.hash(key.digest) }
                signature = try await key.sign(digest: digest) { try draft.toBeSigned() }
            } else {
                signature = try await key.sign(draft.toBeSigned())
            }
            let directory = self.configuration.revocation.largeListDirectory
            var record = try await BackgroundThread.run {
                try draft.signed(signature, algorithm: key.algorithm, directory: directory)
            }
            if record.fileName != nil { record.toBeSignedSHA256 = hash }
            records.append(record)
        }
        return records
    }

    private func store(_ records: [CRLRecord], _ begun: BegunLists) async throws {
        // Where it is to be found; whether it got there is event 10020.
        let addresses = try records.map { record in
            try CRLAddresses(self.configuration, begun.signer.issuer, shard: record.shard).expand(
                record.kind == .base ? self.configuration.crlURLs : self.configuration.revocation.freshestURLs,
                isDelta: record.kind == .delta)
        }
        try await self.storage.write { [self] db in
            for (index, (record, intentID)) in zip(records, begun.intentIDs).enumerated() {
                try db.insert(record)
                try db.closeIntent(intentID, outcome: .completed, at: self.surroundings.now())
                var details = [
                    "Base CRL": record.kind == .base ? "Yes" : "No", "CRL Number": "\(record.number)",
                    "Key Container": begun.signer.signingKey.locator.reference.uri,
                    "Next Publish": record.nextPublish.map { "\($0)" } ?? "",
                    "Publish URLs": addresses[index].joined(separator: " "), "Entries": "\(record.entryCount ?? 0)",
                ]
                if record.shard > 0 { details["Shard"] = "\(record.shard)" }
                try db.append(self.event(.crlPublished, who: begun.administrator.name, details))
            }
        }
    }

    /// - Returns: the error to throw.
    private func recordFailure(_ error: any Error, _ begun: BegunLists) async throws -> any Error {
        let failure = RequestFailure(.signing, error)
        do {
            try await self.storage.write { [self] db in
                for intentID in begun.intentIDs {
                    try db.closeIntent(intentID, outcome: .failed, at: self.surroundings.now())
                }
                try db.append(
                    self.event(
                        failure.auditEventID, who: begun.administrator.name,
                        failure.auditDetails.merging(["CRL Number": "\(begun.number)"]) { own, _ in own }))
            }
        } catch {
            // The database does not take it: the first error is the one to tell, and start-up settles the intents.
            return failure.error
        }
        return failure.error
    }
}

extension IssuanceError {
    fileprivate static func crlContention() -> IssuanceError {
        IssuanceError(
            code: .superseded, operation: "publish a CRL",
            reason: "other processes publish CRLs of this instance without a pause", hresult: .badRequestStatus,
            facts: [], advice: ["Let one process publish at a time."])
    }
}
