package import CertificateAuthority
import Foundation
package import KeyArchival
import PKIMessages

/// One archived key, with what is known of the way it took.
package struct EvidenceEntry: Sendable {
    package let key: ArchivedKeyRecord
    /// `nil` while the request pends.
    package let certificate: CertificateRecord?
    /// `nil` when what is stored cannot be read.
    package let evidence: ArchivalEvidence?
    package let voucher: EvidenceLedger.Voucher

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
    /// The audit chain is read first: what a signed head above it does not cover, or what stands after a break of the chain,
    /// is under no signature.
    package func archivalEvidence(
        by who: Principal, _ body: (EvidenceEntry) async throws -> Void
    ) async throws -> EvidenceSummary {
        try who.mustBeAllowed(.readAudit, to: "read the evidence of archived keys")
        let ledger = try await EvidenceLedger(storage: self.storage, authorityKeys: self.authorityKeys())
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
                // `try?`: what cannot be read is told as such, beside the others.
                let evidence = try? ArchivalEvidence(json: key.evidenceJSON)
                let entry = EvidenceEntry(
                    key: key, certificate: certificate, evidence: evidence, voucher: ledger.voucher(for: key, evidence))
                summary.count(entry)
                try await body(entry)
            }
        }
    }
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
        if key != nil { try await self.vouchForArchivedKeys() }
    }

    /// The same for keys that were just imported, or encrypted anew.
    package func vouchForArchivedKeys() async throws {
        _ = try await self.authority.signAuditHead()
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
