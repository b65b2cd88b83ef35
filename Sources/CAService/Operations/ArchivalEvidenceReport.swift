package import CertificateAuthority
import Foundation
package import KeyArchival
import PKIMessages

/// One archived key, with what is known of the way it took.
package struct EvidenceEntry: Sendable {
    /// Who vouches for the evidence.
    package enum Voucher: Sendable, Equatable {
        /// The audit chain has its hash, in this entry, and the CA key has signed a head of the chain above it.
        case signed(entry: Int64)
        /// The audit chain has its hash; the next head that is signed vouches for it.
        case recorded(entry: Int64)
        /// Archived by a version that recorded no hash.
        case nobody
        /// The stored evidence or the stored key is not the one that was recorded.
        case changed
    }

    package let key: ArchivedKeyRecord
    /// `nil` while the request pends.
    package let certificate: CertificateRecord?
    /// `nil` when what is stored cannot be read.
    package let evidence: ArchivalEvidence?
    package let voucher: Voucher

    /// Whether the private key was in the memory of the CA's host, as far as anybody can tell.
    package var wasInHostMemory: Bool { self.evidence?.wasInHostMemory != false || self.voucher == .changed }
}

/// How many keys took which way.
package struct EvidenceSummary: Sendable, Equatable {
    package var keys = 0
    package var inHostMemory = 0
    package var changed = 0
    package var unvouched = 0

    mutating func count(_ entry: EvidenceEntry) {
        self.keys += 1
        if entry.wasInHostMemory { self.inHostMemory += 1 }
        if entry.voucher == .changed { self.changed += 1 }
        if entry.voucher == .nobody { self.unvouched += 1 }
    }
}

extension Instance {
    private static let portion = 500

    /// Lends every archived key with its evidence to `body`, in the order of the requests.
    ///
    /// The hashes in the audit chain are read first; whether the chain itself is whole tells `signet audit verify`.
    package func archivalEvidence(
        by who: Principal, _ body: (EvidenceEntry) async throws -> Void
    ) async throws -> EvidenceSummary {
        try who.mustBeAllowed(.readAudit, to: "read the evidence of archived keys")
        let recorded = try await self.recordedEvidence()
        let signedUpTo = try await self.storage.read { try $0.latestSignedAuditHead()?.sequence ?? 0 }
        var summary = EvidenceSummary()
        var last: Int64 = 0
        while true {
            let after = last
            let keys = try await self.storage.read { db in
                try db.archivedKeys(afterRequest: after, limit: Instance.portion)
                    .map { ($0, try db.certificate(forRequest: $0.requestID)) }
            }
            guard let newest = keys.last else { return summary }
            last = newest.0.requestID
            for (key, certificate) in keys {
                let entry = Instance.entry(
                    key, certificate, recorded: recorded[key.requestID], signedUpTo: signedUpTo)
                summary.count(entry)
                try await body(entry)
            }
        }
    }

    private struct Recorded: Sendable {
        let entry: Int64
        let hash: [UInt8]
        /// Those of the archives of this key before, oldest first.
        var earlier: [[UInt8]] = []
    }

    /// By request: the newest word of the audit chain about each key.
    private func recordedEvidence() async throws -> [Int64: Recorded] {
        var recorded: [Int64: Recorded] = [:]
        var last: Int64 = 0
        while true {
            let after = last
            let entries = try await self.storage.read {
                try $0.auditEntries(after: after, limit: Instance.portion)
            }
            guard let newest = entries.last else { return recorded }
            last = newest.sequence
            for entry in entries where [.keyArchived, .keyImportedAndArchived, .keyRewrapped].contains(entry.event.id) {
                guard let request = entry.event.details["Request ID"].flatMap({ Int64($0) }),
                    let hash = entry.event.details["Evidence SHA-256"].flatMap(Hexadecimal.bytes)
                else { continue }
                let before = recorded[request]
                recorded[request] = Recorded(
                    entry: entry.sequence, hash: hash,
                    earlier: before.map { $0.earlier + [$0.hash] } ?? [])
            }
        }
    }

    private static func entry(
        _ key: ArchivedKeyRecord, _ certificate: CertificateRecord?, recorded: Recorded?, signedUpTo: Int64
    ) -> EvidenceEntry {
        // `try?`: what cannot be read is told as such, beside the others.
        let evidence = try? ArchivalEvidence(json: key.evidenceJSON)
        let voucher: EvidenceEntry.Voucher
        if let recorded {
            let isSame =
                recorded.hash == Digest.sha256.hash(Array(key.evidenceJSON.utf8))
                && evidence?.envelopedDataSHA256 == Hexadecimal.lower(Digest.sha256.hash(key.envelopedDataDER))
                && recorded.earlier.map(Hexadecimal.lower) == evidence?.previousHashes.suffix(recorded.earlier.count)
            voucher =
                !isSame
                ? .changed
                : recorded.entry <= signedUpTo ? .signed(entry: recorded.entry) : .recorded(entry: recorded.entry)
        } else {
            voucher = .nobody
        }
        return EvidenceEntry(key: key, certificate: certificate, evidence: evidence, voucher: voucher)
    }
}

extension ArchivalEvidence {
    /// Of the evidence of earlier archives, oldest first. Those of older versions are in no audit chain.
    fileprivate var previousHashes: [String] { (self.previous ?? []).map(\.evidenceSHA256) }
}

extension Authority {
    /// Has the CA key sign the head of the audit chain, and with it the evidence of a key that was archived, when one came
    /// with a request above `requestID`.
    ///
    /// - Returns: the last request with an archived key, to go on from.
    package func vouchForArchivedKeys(after requestID: Int64) async throws -> Int64 {
        let last = try await self.instance.storage.read { try $0.highestArchivedKey() ?? 0 }
        if last > requestID { _ = try await self.authority.signAuditHead() }
        return last
    }

    /// The same for the key of one request that was just answered.
    package func vouchForArchivedKey(ofRequest requestID: Int64) async throws {
        let key = try await self.instance.storage.read { try $0.archivedKey(forRequest: requestID) }
        if key != nil { _ = try await self.authority.signAuditHead() }
    }

    /// Has the CA key state what a list of evidence says: one line of text in a CMS SignedData, which
    /// `openssl cms -verify` shows.
    ///
    /// - Parameter listSHA256: of the list as it was written, so that the statement speaks of exactly that list.
    /// - Returns: DER.
    package func evidenceStatement(
        _ summary: EvidenceSummary, listSHA256: [UInt8], by who: Principal
    ) async throws -> [UInt8] {
        try who.mustBeAllowed(.readAudit, to: "have the evidence of archived keys signed")
        let when = self.instance.surroundings.now()
        let text =
            "signet-archival-evidence 1 keys=\(summary.keys) in-host-memory=\(summary.inHostMemory) "
            + "changed=\(summary.changed) unvouched=\(summary.unvouched) sha256=\(Hexadecimal.lower(listSHA256)) "
            + "time=\(when.ISO8601Format())\n"
        return try await self.authority.signedStatement(Array(text.utf8), purpose: "archival evidence")
    }
}
