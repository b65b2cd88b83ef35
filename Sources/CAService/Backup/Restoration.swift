package import BackupSets
package import CertificateAuthority
import Diagnostics
import Foundation
import Glibc
import PKIMessages
import SQLiteStorage

/// What is to be restored.
package struct RestoreOrder: Sendable {
    /// The backups: a full one, and its increments in any order.
    package var backups: [String]
    package var instance: String
    package var opener: BackupOpener
    /// SHA-256 of a CA certificate, where no instance is there that tells which CA it is.
    package var authoritySHA256: [UInt8]?
    /// Whether an instance that is there may be replaced. It is kept beside the new one.
    package var replaces: Bool
    /// Files and directories with lists and certificates that the CA has published.
    package var published: [String]
    /// In place of the tokens of the same name in the backup's configuration.
    package var tokens: [String: TokenConfiguration]
    package var progress: @Sendable (BackupProgress) -> Void

    package init(
        backups: [String], instance: String, opener: BackupOpener, authoritySHA256: [UInt8]? = nil,
        replaces: Bool = false, published: [String] = [],
        tokens: [String: TokenConfiguration] = [:],
        progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) {
        self.backups = backups
        self.instance = instance
        self.opener = opener
        self.authoritySHA256 = authoritySHA256
        self.replaces = replaces
        self.published = published
        self.tokens = tokens
        self.progress = progress
    }
}

/// An instance that was restored and stands in its place.
package struct FinishedRestore: Sendable {
    package var manifest: BackupManifest
    package var keys: [RestoredKey]
    package var merged: MergedPublications
    /// Where the instance is that was there before.
    package var previous: String?
    /// PIN files that the configuration names and that are not there: no backup has them.
    package var missingSecrets: [String]
    /// Where the configuration had the database, when that was elsewhere: now it is in the instance's directory.
    package var formerDatabase: String?
}

/// Restores an instance from backups.
///
/// Everything is made in `INSTANCE.restoring` and takes its place by one rename at the end. What was there before is
/// untouched until then, whatever fails and whenever the process ends.
package struct Restoration: Sendable {
    var order: RestoreOrder
    private let secrets: SecretInput
    private let surroundings: Surroundings
    let layout: InstanceLayout

    package init(_ order: RestoreOrder, secrets: SecretInput, surroundings: Surroundings = .system) {
        self.order = order
        self.secrets = secrets
        self.surroundings = surroundings
        self.layout = InstanceLayout(directory: order.instance)
    }

    /// - Throws: `BackupError` naming the file that is missing, foreign, truncated or changed; ``ServiceError``; `RequestError`
    ///   without the role of backup operator. Nothing is changed then.
    package func run() async throws -> FinishedRestore {
        let isReplacing = try self.checkTarget()
        let old = try await isReplacing ? self.oldInstance() : nil
        let extraction = try await BackupExtraction(
            self.order.backups, in: self.layout.restoreDirectory, trusting: self.trust(old),
            opener: self.order.opener, progress: self.order.progress)
        // Nobody has it open from here on; whoever had it open to look at it was this method.
        let service = isReplacing ? try InstanceLock(self.layout) : nil
        let use = isReplacing ? try InstanceUse(excluding: self.layout) : nil
        defer { withExtendedLifetime((service, use)) {} }
        do {
            try self.clearRoom()
            try await extraction.run()
            var finished = try await self.finish(extraction, old)
            // SQLite removes files by their names when it closes a database.
            try old?.close()
            finished.previous = try self.takePlace(extraction.layout, isReplacing, finished.manifest.backupID)
            return finished
        } catch {
            // Without the marker it is a whole instance: the new one, or the one that was here.
            if FilePaths.exists(extraction.layout.restoreMarkerPath) {
                try FileTree.remove(extraction.layout.directory)
            }
            throw error
        }
    }

    /// Removes what an interrupted restore left half, and puts aside what is whole: it died while the directories changed
    /// places.
    private func clearRoom() throws {
        let path = self.layout.restoreDirectory
        let left = InstanceLayout(directory: path)
        guard FilePaths.exists(path) else { return }
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            throw ServiceError.unreadable(path, error.localizedDescription)
        }
        if names.isEmpty || FilePaths.exists(left.restoreMarkerPath) { return try FileTree.remove(path) }
        guard FilePaths.exists(left.configurationPath) else {
            throw ServiceError.exists(path, "Something that no restore has made,")
        }
        _ = try self.putAside(left)
    }

    /// Keeps a whole instance beside the one that takes its place, where it does not open any more.
    ///
    /// - Returns: its directory.
    private func putAside(_ replaced: InstanceLayout, for backupID: String? = nil) throws -> String {
        let now = self.surroundings.now()
        let account = try SystemAccount.current(instance: self.layout.directory)
        try Retirement(
            when: now.ISO8601Format(), who: account.principalName, backupID: backupID, isReplaced: true
        ).write(replaced)
        let directory = self.layout.nameForReplaced(at: now)
        try FileTree.rename(replaced.directory, to: directory)
        return directory
    }

    /// - Returns: whether something is there that is to be replaced.
    private func checkTarget() throws -> Bool {
        let path = self.layout.directory
        guard FilePaths.exists(path) else { return false }
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            throw ServiceError.unreadable(path, error.localizedDescription)
        }
        guard !names.isEmpty else { return false }
        guard FilePaths.exists(self.layout.configurationPath) || FilePaths.exists(self.layout.restoreMarkerPath) else {
            throw ServiceError.exists(path, "Something that is no instance, the directory")
        }
        guard self.order.replaces else { throw ServiceError.targetExists(path) }
        return true
    }

    /// The database of the instance that is to be replaced; `nil` when it cannot be read any more.
    func oldInstance() async throws -> SQLiteStorage? {
        // `try?`: an instance whose configuration cannot be read may well be what is to be replaced.
        let configuration = try? self.layout.configuration()
        let path = configuration?.databasePath(in: self.layout) ?? self.layout.databasePath
        guard FilePaths.exists(path), !FilePaths.exists(self.layout.restoreMarkerPath) else { return nil }
        let storage: SQLiteStorage
        do { storage = try SQLiteStorage(path: path) } catch let error as StorageError
            where error.code == .corrupt
        { return nil }
        let account = try SystemAccount.current(instance: self.layout.directory)
        try await storage.read { try $0.principal(of: account) }.mustBeAllowed(.restore, to: "restore the CA")
        return storage
    }

    func trust(_ old: SQLiteStorage?) async throws -> BackupTrust {
        if let thumbprint = self.order.authoritySHA256 { return .thumbprint(thumbprint) }
        let own = try await old?.ownCertificates() ?? []
        guard !own.isEmpty else { throw ServiceError.trustNeeded() }
        return .certificates(own.map(\.fields))
    }

    private func finish(_ extraction: BackupExtraction, _ old: SQLiteStorage?) async throws -> FinishedRestore {
        let (chain, restoring) = (extraction.chain, extraction.layout)
        let place = try extraction.takeDatabaseIn()
        try extraction.describe(self.order.tokens)
        let missing = try extraction.carrySecrets(from: self.layout)
        let instance = try Instance.open(restoring, secrets: self.secrets, surroundings: self.surroundings)
        do {
            let who = try await instance.localOperator()
            try who.mustBeAllowed(.restore, to: "restore the CA")
            let ids = chain.sets.map(\.manifest.backupID).joined(separator: " ")
            let oldHead = try await old?.read { try $0.auditHead() }
            try await instance.record(
                .restoreStarted, by: who,
                details: [
                    "Backup ID": ids,
                    "Replaced Head": oldHead.map { "\($0.sequence):\(Hexadecimal.lower($0.hash))" } ?? "",
                ])
            try await instance.storage.write { try $0.raiseRequestID(to: chain.last.manifest.state.requestID) }
            var merge = PublicationMerge(instance: instance, who: who)
            if let old { try await merge.take(old) }
            let own = [restoring, self.layout].flatMap { [$0.publicationDirectory, $0.largeListDirectory] }
            for path in own where FilePaths.exists(path) { try await merge.take(path: path, isNamed: false) }
            for path in self.order.published { try await merge.take(path: path, isNamed: true) }
            let keys = try await KeyProof(instance: instance, purpose: "restore").run()
            try await instance.record(
                .restoreCompleted, by: who,
                details: [
                    "Backup ID": ids, "CRL Number": "\(merge.merged.crlNumber)",
                    "Revocations": "\(merge.merged.revocations)", "Certificates": "\(merge.merged.certificates)",
                    "Keys": keys.map { "\($0.publicKeySHA256.prefix(16)) \($0.state.rawValue)" }
                        .joined(separator: ", "),
                ])
            await instance.tokens.close()
            try instance.close()
            return FinishedRestore(
                manifest: chain.last.manifest, keys: keys, merged: merge.merged, previous: nil, missingSecrets: missing,
                formerDatabase: place)
        } catch {
            await instance.tokens.close()
            throw error
        }
    }

    /// - Returns: where the instance is that was there before.
    private func takePlace(
        _ restoring: InstanceLayout, _ isReplacing: Bool, _ backupID: String
    ) throws -> String? {
        try FileTree.synchronize(restoring.directory)
        try FilePaths.remove(restoring.restoreMarkerPath)
        try FileTree.synchronizeDirectory(restoring.directory)
        let parent = URL(fileURLWithPath: self.layout.directory).deletingLastPathComponent().path
        guard isReplacing else {
            try FileTree.rename(restoring.directory, to: self.layout.directory)
            try FileTree.synchronizeDirectory(parent)
            return nil
        }
        try FileTree.exchange(restoring.directory, self.layout.directory)
        // Under this name is the one that was there now.
        let previous = try self.putAside(restoring, for: backupID)
        try FileTree.synchronizeDirectory(parent)
        return previous
    }
}
