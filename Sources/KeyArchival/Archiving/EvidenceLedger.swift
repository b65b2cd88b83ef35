package import CertificateAuthority
package import PKIMessages

/// What the audit chain has of the evidence of archived keys, and how far the CA key vouches for the chain.
///
/// Some 200 bytes are kept of each key.
package struct EvidenceLedger: Sendable {
    /// Who vouches for the evidence of a key.
    package enum Voucher: Sendable, Equatable {
        /// The audit chain has its hash, in this entry, and the CA key has signed a head of the chain above it.
        case signed(entry: Int64)
        /// The audit chain has its hash; the next head that is signed vouches for it.
        case recorded(entry: Int64)
        /// The audit chain has no hash of it.
        case nobody
        /// The stored evidence or the stored key is not the one that was recorded.
        case changed
    }

    private struct Recorded: Sendable {
        let entry: Int64
        let hash: [UInt8]
        /// Those of the archives of this key before, oldest first.
        let earlier: [[UInt8]]
    }

    /// By request: the newest word of the audit chain about each key.
    private var recorded: [Int64: Recorded] = [:]
    private let vouchedUpTo: Int64
    /// The newest head whose signature is not the CA's; 0 where there is none.
    private let forgedHead: Int64

    /// Reads the whole audit chain and checks it on the way.
    ///
    /// - Parameter authorityKeys: the CA's own, which may have signed heads.
    /// - Throws: ``StorageError``.
    package init(storage: any CAStorage, authorityKeys: [SubjectPublicKeyInfo]) async throws {
        var verifier = AuditVerifier(
            authorityKeys: authorityKeys, heads: try await storage.signedAuditHeads(), expected: nil,
            collectsUses: false)
        self.forgedHead = verifier.findings.filter { $0.kind == .headSignature }.compactMap(\.sequence).max() ?? 0
        var recorded: [Int64: Recorded] = [:]
        try await storage.forEachAuditEntry { entry in
            verifier.check(entry)
            guard [.keyArchived, .keyImportedAndArchived, .keyRewrapped].contains(entry.event.id),
                let request = entry.event.details["Request ID"].flatMap({ Int64($0) }),
                let hash = entry.event.details["Evidence SHA-256"].flatMap(Hexadecimal.bytes)
            else { return }
            let before = recorded[request]
            recorded[request] = Recorded(
                entry: entry.sequence, hash: hash, earlier: before.map { $0.earlier + [$0.hash] } ?? [])
        }
        self.recorded = recorded
        self.vouchedUpTo = verifier.vouchedUpTo
    }

    /// - Parameter evidence: as it was read from the record; `nil` when it could not be.
    package func voucher(for key: ArchivedKeyRecord, _ evidence: ArchivalEvidence?) -> Voucher {
        guard let recorded = self.recorded[key.requestID] else { return .nobody }
        // The evidence of archives of older versions is in no audit chain.
        let previous = (evidence?.previous ?? []).map(\.evidenceSHA256).suffix(recorded.earlier.count)
        guard recorded.hash == Digest.sha256.hash(Array(key.evidenceJSON.utf8)),
            evidence?.envelopedDataSHA256 == Hexadecimal.lower(Digest.sha256.hash(key.envelopedDataDER)),
            recorded.earlier.map(Hexadecimal.lower) == Array(previous)
        else { return .changed }
        return recorded.entry <= self.vouchedUpTo ? .signed(entry: recorded.entry) : .recorded(entry: recorded.entry)
    }

    /// That the evidence of a key is what was recorded, under a signature of the CA key.
    ///
    /// - Throws: ``ArchivalError``: `changedRecord` (0x80091007); `evidenceNotSigned` (0x80090006) where the CA key vouches
    ///   for nothing, or the signature is not the CA's.
    func mustBeSigned(_ key: ArchivedKeyRecord, _ evidence: ArchivalEvidence?) throws {
        switch self.voucher(for: key, evidence) {
        case .signed: return
        case .recorded(let entry) where self.forgedHead >= entry:
            throw ArchivalError.evidenceNotSigned(
                requestID: key.requestID,
                "the signature over audit entry \(entry), which has the hash of its evidence, is not the CA's")
        case .recorded(let entry):
            throw ArchivalError.evidenceNotSigned(
                requestID: key.requestID,
                "audit entry \(entry), which has the hash of its evidence, is under no signature of the CA")
        case .nobody:
            throw ArchivalError.evidenceNotSigned(
                requestID: key.requestID, "the audit chain has no hash of its evidence")
        case .changed:
            throw ArchivalError.changedRecord(
                requestID: key.requestID, "its evidence or the stored key is not what the audit chain has the hash of")
        }
    }
}
