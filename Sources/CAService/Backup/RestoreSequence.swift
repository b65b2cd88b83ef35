package import BackupSets
import CertificateAuthority
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

    /// Of the backups that are named now.
    private let restoration: Restoration

    package init(_ restoration: Restoration) {
        self.restoration = restoration
    }

    private var order: RestoreOrder { self.restoration.order }
    private var layout: InstanceLayout { self.restoration.layout }

    /// - Throws: as ``Restoration/run()``; for increments `targetExists` (0x80070050) when the CA was used since the full backup
    ///   was restored.
    package func run() async throws -> Outcome {
        let sets = try self.order.backups.map { try BackupSet($0) }
        guard !sets.contains(where: { $0.manifest.kind == .full }), let note = try Note.read(self.layout) else {
            return try await self.restore(self.restoration)
        }
        let sequence = try await self.auditSequence()
        guard self.order.replaces || sequence == note.auditSequence else {
            throw ServiceError.targetExists(self.layout.directory)
        }
        var all = self.restoration
        all.order.replaces = true
        all.order.backups = note.backups + self.order.backups.map(Self.absolute).filter { !note.backups.contains($0) }
        do { _ = try BackupChain(all.order.backups.map { try BackupSet($0) }) } catch let error as BackupError
            where error.code == .missingIncrement
        {
            try await self.verify(sets, following: BackupSet(note.backups[0]))
            try Note(backups: all.order.backups, auditSequence: note.auditSequence, isWaiting: true).write(self.layout)
            return .waiting(error)
        }
        var finished = try await self.restore(all)
        // What it replaced was restored itself, and nobody has used it.
        if sequence == note.auditSequence, case .restored(var done) = finished, let previous = done.previous,
            done.keys.allSatisfy({ $0.state == .proven })
        {
            try FileTree.remove(previous)
            done.previous = nil
            finished = .restored(done)
        }
        return finished
    }

    private func restore(_ restoration: Restoration) async throws -> Outcome {
        let finished = try await restoration.run()
        // The full one first: it tells which CA it is.
        let paths = try restoration.order.backups.map(Self.absolute).map { ($0, try BackupSet($0).manifest.kind) }
        let sorted = paths.filter { $0.1 == .full } + paths.filter { $0.1 != .full }
        let sequence = try await self.auditSequence()
        try Note(backups: sorted.map(\.0), auditSequence: sequence, isWaiting: false).write(self.layout)
        return .restored(finished)
    }

    /// What waits is whole, and of the chain, as far as it can be told without the one that is missing.
    private func verify(_ sets: [BackupSet], following full: BackupSet) async throws {
        let storage = try await self.restoration.oldInstance()
        let trust = try await self.restoration.trust(storage)
        try storage?.close()
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
