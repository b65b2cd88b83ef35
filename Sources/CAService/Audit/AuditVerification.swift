package import CertificateAuthority
import Foundation
import PKIMessages

/// What the verification of an audit chain has found.
package struct AuditVerdict: Sendable, Codable {
    package var entries: Int64
    /// `SEQUENCE:HASH` of the newest entry: to be kept elsewhere, for `--expect-head`.
    package var head: String
    package var signedHeads: Int
    package var entriesAfterSignedHead: Int64
    /// Of the CA keys; 0 for a file, which has no ledger.
    package var completedUses = 0
    package var unfinishedUses = 0
    package var findings: [AuditFinding]

    package var isSound: Bool { self.findings.isEmpty }
}

/// What is asked of a verification.
package struct AuditVerificationOptions: Sendable {
    package var expectedHead: ExpectedAuditHead?
    /// Every entry must be under a signed head.
    package var requiresSignature: Bool

    package init(expectedHead: ExpectedAuditHead? = nil, requiresSignature: Bool = false) {
        self.expectedHead = expectedHead
        self.requiresSignature = requiresSignature
    }
}

extension Instance {
    /// Checks chain, signed heads and the ledger of the CA keys' uses, in portions.
    package func verifyAudit(
        _ options: AuditVerificationOptions = .init(), by who: Principal
    ) async throws -> AuditVerdict {
        try who.mustBeAllowed(.readAudit, to: "verify the audit trail")
        let own = try await self.storage.read { try $0.caCertificates() }.filter { $0.use == .own }
        var verifier = AuditVerifier(
            authorityKeys: try own.map { try CertificateFields(derEncoded: $0.certificateDER).subjectPublicKeyInfo },
            heads: try await self.signedAuditHeads(), expected: options.expectedHead, collectsUses: true)
        try await self.forEachAuditEntry { verifier.check($0) }
        verifier.finish(requiresSignature: options.requiresSignature)
        let ledger = try await SignatureReconciliation(storage: self.storage, chain: verifier).run()
        var verdict = AuditVerdict(verifier)
        verdict.completedUses = ledger.completed
        verdict.unfinishedUses = ledger.failed + ledger.interrupted + ledger.open
        verdict.findings += ledger.findings
        return verdict
    }

    func signedAuditHeads() async throws -> [SignedAuditHead] {
        var heads: [SignedAuditHead] = []
        while true {
            let after = heads.last?.sequence ?? 0
            let portion = try await self.storage.read { try $0.signedAuditHeads(after: after, limit: 1_000) }
            guard !portion.isEmpty else { return heads }
            heads += portion
        }
    }

    /// In portions, so that the chain's length does not matter.
    func forEachAuditEntry(_ body: (AuditEntry) throws -> Void) async throws {
        var last: Int64 = 0
        while true {
            let after = last
            let entries: [AuditEntry]
            do {
                entries = try await self.storage.read { try $0.auditEntries(after: after, limit: 1_000) }
            } catch let error as StorageError where error.code == .corrupt {
                throw ServiceError.auditUnreadable(after: after, error.reason)
            }
            for entry in entries { try body(entry) }
            guard let newest = entries.last else { return }
            last = newest.sequence
        }
    }
}

extension AuditVerdict {
    init(_ verifier: AuditVerifier) {
        self.init(
            entries: verifier.entries,
            head: "\(verifier.head?.sequence ?? 0):\(Hexadecimal.lower(verifier.head?.hash ?? []))",
            signedHeads: verifier.signedHeads, entriesAfterSignedHead: verifier.entriesAfterSignedHead,
            findings: verifier.findings)
    }
}
