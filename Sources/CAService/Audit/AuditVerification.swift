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
        var verifier = AuditVerifier(
            authorityKeys: try await self.authorityKeys(), heads: try await self.storage.signedAuditHeads(),
            expected: options.expectedHead, collectsUses: true)
        try await self.forEachAuditEntry { verifier.check($0) }
        verifier.finish(requiresSignature: options.requiresSignature)
        let ledger = try await SignatureReconciliation(storage: self.storage, chain: verifier).run()
        var verdict = AuditVerdict(verifier)
        verdict.completedUses = ledger.completed
        verdict.unfinishedUses = ledger.failed + ledger.interrupted + ledger.open
        verdict.findings += ledger.findings
        return verdict
    }

    /// The keys of all the CA's own certificates, which may have signed heads of the chain.
    func authorityKeys() async throws -> [SubjectPublicKeyInfo] {
        try await self.storage.ownCertificates().map(\.fields.subjectPublicKeyInfo)
    }

    /// - Throws: ``ServiceError`` with code `auditChainBroken` for an entry that is none, naming the one before it.
    func forEachAuditEntry(_ body: (AuditEntry) throws -> Void) async throws {
        var last: Int64 = 0
        do {
            try await self.storage.forEachAuditEntry { entry in
                try body(entry)
                last = entry.sequence
            }
        } catch let error as StorageError where error.code == .corrupt {
            throw ServiceError.auditUnreadable(after: last, error.reason)
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
