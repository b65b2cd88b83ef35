package import BackupSets
package import CertificateAuthority
import Foundation
package import KeyArchival
package import KeyProvider
import PKIMessages
import SQLiteStorage

/// What is wanted of the proof that backups can be restored.
package struct RehearsalOrder: Sendable {
    /// A full backup, and its increments in any order.
    package var backups: [String]
    package var opener: BackupOpener
    /// Must not be there; it is gone again at the end.
    package var scratchDirectory: String
    /// In place of the tokens of the same name in the backup's configuration: spare ones, which have the same keys.
    package var tokens: [String: TokenConfiguration]
    /// Of recovery agents; none leaves the archive out.
    package var cards: [any KeyToken]
    /// How many archived keys are opened at most.
    package var sample: Int
    package var progress: @Sendable (BackupProgress) -> Void

    package init(
        backups: [String], opener: BackupOpener, scratchDirectory: String,
        tokens: [String: TokenConfiguration] = [:], cards: [any KeyToken] = [], sample: Int = 1,
        progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) {
        self.backups = backups
        self.opener = opener
        self.scratchDirectory = scratchDirectory
        self.tokens = tokens
        self.cards = cards
        self.sample = sample
        self.progress = progress
    }
}

/// What came of it.
package struct FinishedRehearsal: Sendable {
    package var manifest: BackupManifest
    package var requests: Int64
    package var audit: AuditVerdict
    package var keys: [RestoredKey]
    /// By the index of the CA key.
    package var lists: [Int: SignedTestList]
    /// `nil` when no agent's card was given.
    package var archives: RecoveryDrill.Report?

    /// Every key works, and what was asked for was proven.
    package var isGood: Bool {
        self.audit.isSound && self.keys.allSatisfy { $0.state == .proven } && (self.archives?.isGood ?? true)
    }
}

extension Instance {
    /// Proves that backups of this instance can be restored: restores them into a scratch directory, starts the CA there, has
    /// each key work, signs a list that nobody gets, and opens archived keys. Every use of a CA key is booked here, in the
    /// instance that lives on; the scratch directory is removed.
    ///
    /// - Throws: `RequestError` without the role of backup operator; `BackupError`, ``ServiceError``, and what stops the CA
    ///   from starting. A key that does not work is in the result.
    package func rehearse(_ order: RehearsalOrder, by who: Principal) async throws -> FinishedRehearsal {
        try who.mustBeAllowed(.backUp, to: "verify a backup")
        guard !FilePaths.exists(order.scratchDirectory) else {
            throw ServiceError.exists(order.scratchDirectory, "The scratch directory")
        }
        let extraction = try await BackupExtraction(
            order.backups, in: order.scratchDirectory, trusting: self.backupTrust(), opener: order.opener,
            progress: order.progress)
        do {
            try await extraction.run()
            let result = try await self.rehearse(order, extraction)
            try FileTree.remove(order.scratchDirectory)
            return result
        } catch {
            if FilePaths.exists(order.scratchDirectory) { try FileTree.remove(order.scratchDirectory) }
            throw error
        }
    }

    private func rehearse(
        _ order: RehearsalOrder, _ extraction: BackupExtraction
    ) async throws -> FinishedRehearsal {
        _ = try extraction.takeDatabaseIn()
        // With the tokens of this instance: a module is initialised once in a process.
        let scratch = try Instance.open(
            extraction.layout, secrets: .interactive, surroundings: self.surroundings, sharing: self.tokens,
            replacing: order.tokens)
        let result = try await self.prove(scratch, order, extraction.chain.last.manifest)
        try scratch.close()
        return result
    }

    private func prove(
        _ scratch: Instance, _ order: RehearsalOrder, _ manifest: BackupManifest
    ) async throws -> FinishedRehearsal {
        let purpose = "verification of backup \(manifest.backupID)"
        let audit = try await scratch.verifyAudit(by: .service)
        let keys = try await KeyProof(instance: scratch, purpose: purpose, ledger: self.storage).run()
        // The same examination as at the start of the service.
        let authority = try await scratch.authority(for: .signing, settling: false)
        let working = Set(keys.filter { $0.state == .proven }.map(\.publicKeySHA256))
        var lists: [Int: SignedTestList] = [:]
        for signer in authority.authority.signers
        where working.contains(Hexadecimal.lower(signer.signingKey.locator.publicKeySHA256)) {
            lists[signer.keyIndex] = try await authority.authority.signTestList(
                signer, ledger: self.storage, purpose: purpose)
        }
        return FinishedRehearsal(
            manifest: manifest, requests: manifest.state.requestID, audit: audit, keys: keys, lists: lists,
            archives: try await self.openArchives(of: authority, order, purpose))
    }

    /// The blobs are signed, and booked, by this instance.
    private func openArchives(
        of scratch: Authority, _ order: RehearsalOrder, _ purpose: String
    ) async throws -> RecoveryDrill.Report? {
        guard !order.cards.isEmpty else { return nil }
        let signing = try await self.authority(settling: false).authority
        let drill = RecoveryDrill(
            storage: scratch.instance.storage,
            blobs: RecoveryBlobBuilder(
                storage: scratch.instance.storage, authority: signing.caCertificate,
                signatureAlgorithm: signing.signatureAlgorithm, surroundings: self.surroundings
            ) { try await signing.signedMessage($0, purpose: purpose) },
            authorities: [signing.caCertificate],
            isHostPlaintextAllowed: self.configuration.archival.hostPlaintextAllowed,
            surroundings: self.surroundings)
        // Nothing leaves the process: who may verify a backup need not be somebody who may take archived keys.
        return try await drill.run(sample: order.sample, with: order.cards, by: .service)
    }
}
