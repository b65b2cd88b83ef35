package import BackupSets
package import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage

/// Backups that are restored one after another, as `certutil` does it: the full one first, then its increments in any order.
/// While one between them is missing, the instance does not open.
package struct RestoreSequence: Sendable {
    package enum Outcome: Sendable {
        case restored(FinishedRestore)
        /// An increment that comes before one of those that were named is missing.
        case waiting(BackupError)
    }

    /// What an instance notes that was restored so.
    struct Note: Codable, Equatable {
        /// Directories.
        var backups: [String]
        /// Of the newest audit entry then: whoever has used the CA since has no restored one any more.
        var auditSequence: Int64
        var isWaiting: Bool

        static func read(_ layout: InstanceLayout) throws -> Note? {
            guard FilePaths.exists(layout.restoreSequencePath) else { return nil }
            let bytes = try FilePaths.read(layout.restoreSequencePath)
            do { return try JSONDecoder().decode(Note.self, from: Data(bytes)) } catch {
                throw ServiceError.unreadable(layout.restoreSequencePath, "it does not say what was restored")
            }
        }

        func write(_ layout: InstanceLayout) throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try FilePaths.replace(layout.restoreSequencePath, with: Array(encoder.encode(self)), mode: 0o600)
        }
    }

    private let order: RestoreOrder
    private let secrets: SecretInput
    private let surroundings: Surroundings
    private let layout: InstanceLayout

    package init(_ order: RestoreOrder, secrets: SecretInput, surroundings: Surroundings = .system) {
        self.order = order
        self.secrets = secrets
        self.surroundings = surroundings
        self.layout = InstanceLayout(directory: order.instance)
    }

    /// - Throws: as ``Restoration/run()``; for increments `targetExists` (0x80070050) when the CA was used since the full backup
    ///   was restored.
    package func run() async throws -> Outcome {
        let sets = try self.order.backups.map { try BackupSet($0) }
        guard !sets.contains(where: { $0.manifest.kind == .full }), let note = try Note.read(self.layout) else {
            return try await self.restore(self.order)
        }
        let sequence = try await self.auditSequence()
        guard self.order.replaces || sequence == note.auditSequence else {
            throw ServiceError.targetExists(self.layout.directory)
        }
        var all = self.order
        all.replaces = true
        all.backups = note.backups + self.order.backups.map(Self.absolute).filter { !note.backups.contains($0) }
        do { _ = try BackupChain(all.backups.map { try BackupSet($0) }) } catch let error as BackupError
            where error.code == .missingIncrement
        {
            try await self.verify(sets, following: BackupSet(note.backups[0]))
            try Note(backups: all.backups, auditSequence: note.auditSequence, isWaiting: true).write(self.layout)
            return .waiting(error)
        }
        return try await self.restore(all)
    }

    private func restore(_ order: RestoreOrder) async throws -> Outcome {
        let finished = try await Restoration(order, secrets: self.secrets, surroundings: self.surroundings).run()
        // The full one first: it tells which CA it is.
        let paths = try order.backups.map(Self.absolute).map { ($0, try BackupSet($0).manifest.kind) }
        let sorted = paths.filter { $0.1 == .full } + paths.filter { $0.1 != .full }
        let sequence = try await self.auditSequence()
        try Note(backups: sorted.map(\.0), auditSequence: sequence, isWaiting: false).write(self.layout)
        return .restored(finished)
    }

    /// What waits is whole, and of the chain, as far as it can be told without the one that is missing.
    private func verify(_ sets: [BackupSet], following full: BackupSet) async throws {
        let storage = try SQLiteStorage(path: self.layout.databasePath)
        let account = try SystemAccount.current(instance: self.layout.directory)
        let (who, records) = try await storage.read { (try $0.principal(of: account), try $0.caCertificates()) }
        try who.mustBeAllowed(.restore, to: "restore the CA")
        let own = records.filter { $0.use == .own }
        try storage.close()
        let trust = BackupTrust.certificates(try own.map { try .init(derEncoded: $0.certificateDER) })
        for set in sets {
            guard set.manifest.link?.base == full.manifest.backupID else {
                throw BackupError.foreign(set.directory, "it follows another full backup")
            }
            try await set.verify(trusting: trust, opener: nil, progress: self.order.progress)
        }
    }

    private func auditSequence() async throws -> Int64 {
        let storage = try SQLiteStorage(path: self.layout.databasePath)
        let sequence = try await storage.read { try $0.auditHead()?.sequence ?? 0 }
        try storage.close()
        return sequence
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardized.path }
}

extension ServiceError {
    static func restoreIncomplete(_ directory: String, _ note: RestoreSequence.Note) -> ServiceError {
        ServiceError(
            code: .suspended, headline: "The restore of the instance \"\(directory)\" waits for another increment.",
            hresult: .serverSuspended, facts: note.backups.map { Fact("named", $0) },
            advice: [
                "Restore the increment that is missing with `certutil -restoredb`, or all of them with `signet restore`."
            ]
        )
    }
}
