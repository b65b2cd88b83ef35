package import BackupSets
package import CertificateAuthority
import Diagnostics
import Foundation
import Glibc
import KeyProvider
import PKIMessages
import SQLiteStorage
import SecretMemory

/// What is wanted of a backup.
package struct BackupOrder: Sendable {
    package var directory: String
    package var recipients: BackupRecipients
    /// An older backup in that directory goes when the new one is whole.
    package var replaces: Bool
    /// Only what changed since the last backup of the chain.
    package var isIncremental: Bool
    /// The next incremental backup begins where this one did.
    package var keepsLog: Bool
    /// Called from the thread that works.
    package var progress: @Sendable (BackupProgress) -> Void

    package init(
        directory: String, recipients: BackupRecipients, replaces: Bool = false,
        isIncremental: Bool = false, keepsLog: Bool = false,
        progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) {
        self.directory = directory
        self.recipients = recipients
        self.replaces = replaces
        self.isIncremental = isIncremental
        self.keepsLog = keepsLog
        self.progress = progress
    }

    /// - Throws: ``ServiceError`` with code `exists` (0x80070050) when no backup can be made in the directory.
    package static func checkTarget(_ directory: String, replaces: Bool) throws {
        try BackupDirectory.check(directory, replaces: replaces)
    }
}

/// A backup that was made and verified.
package struct FinishedBackup: Sendable {
    package let directory: String
    package let manifest: BackupManifest
    /// SHA-256 of `certbkxp.dat`.
    package let manifestSHA256: [UInt8]
}

extension Authority {
    /// Backs the CA up while it runs: a service beside this process goes on issuing.
    ///
    /// What is written is encrypted, synced, read back from the medium, decrypted and compared before the directory gets
    /// its name. Audit events 780 and 781.
    ///
    /// - Throws: `RequestError` without the role of backup operator; ``ServiceError`` with code `exists` (0x80070050)
    ///   when something is in the directory, `inUse` while another backup of the instance is made; ``BackupError``. Nothing
    ///   is left of a backup that failed.
    package func backUp(_ order: BackupOrder, by who: Principal) async throws -> FinishedBackup {
        try who.mustBeAllowed(.backUp, to: "back the CA up")
        let random = self.instance.surroundings.randomBytes
        let room = try BackupRoom(self.instance.layout)
        let directory = try BackupDirectory(for: order.directory, replaces: order.replaces, random: random(4))
        do {
            let type = order.isIncremental ? BackupManifest.Kind.incremental : .full
            try await self.instance.record(.backupStarted, by: who, details: ["Backup Type": type.rawValue])
            let writing = BackupWriting(
                instance: self.instance, order: order, directory: directory.path,
                backupID: try random(PartHeader.identifierBytes), begunWhen: self.instance.surroundings.now())
            let written = try await self.write(writing, room)
            let set = try await self.sign(written, in: directory.path)
            try await BackgroundThread.run { try set.verifyContent(key: written.partKey, progress: order.progress) }
            try directory.finish()
            if !order.keepsLog { try await self.instance.database.advanceChain(to: written.chain) }
            // A renewal that is in an increment is in the chain that a full backup has begun.
            try await self.instance.noteBackedUp(certificateIndex: written.certificateIndex)
            let hash = Digest.sha256.hash(set.signedManifest.bytes)
            try await self.instance.record(
                .backupCompleted, by: who,
                details: [
                    "Backup Type": type.rawValue, "Backup ID": set.manifest.backupID, "Directory": order.directory,
                    "Manifest SHA-256": Hexadecimal.lower(hash),
                ])
            return FinishedBackup(directory: order.directory, manifest: set.manifest, manifestSHA256: hash)
        } catch {
            try directory.abandon()
            try await self.instance.database.abandonChangeLog()
            throw error
        }
    }

    private func write(_ writing: BackupWriting, _ room: BackupRoom) async throws -> WrittenPart {
        let database = self.instance.database
        guard writing.order.isIncremental else {
            if !writing.order.keepsLog { try await database.beginChangeLog(at: writing.begunWhen) }
            let full = FullBackup(writing: writing, room: room)
            return try await BackgroundThread.run { try full.run() }
        }
        guard let chain = try await database.backupChain() else { throw BackupError.noFullBackup() }
        let increment = IncrementalBackup(writing: writing, chain: chain)
        return try await BackgroundThread.run { try increment.run() }
    }

    private func sign(_ written: WrittenPart, in directory: String) async throws -> BackupSet {
        var manifest = written.manifest
        manifest.keys = try await self.instance.withKeeping(manifest.keys)
        manifest.certificates = self.authority.chainDER.map { Hexadecimal.lower(Digest.sha256.hash($0)) }
        let message = try await self.authority.signedStatement(
            manifest.json(), purpose: "backup \(written.manifest.backupID)")
        try FilePaths.create(directory + "/" + BackupLayout.manifest, with: message, mode: 0o600)
        let set = try BackupSet(directory)
        try set.signedManifest.verify(
            with: [self.authority.caCertificate.subjectPublicKeyInfo], name: BackupLayout.manifest)
        return set
    }
}

/// Where an instance puts the copy of its database while it is backed up. One backup is made at a time, so that what lies
/// there before is a leftover.
final class BackupRoom: Sendable {
    let imagePath: String
    private let lock: FileLock

    /// - Throws: ``ServiceError`` with code `inUse`.
    init(_ layout: InstanceLayout) throws {
        // Before anything of this object is set: `deinit` would clear the room of the one who has it.
        guard let lock = try FileLock(layout.directory + "/backup.lock") else {
            throw ServiceError.backupUnderWay(layout.directory)
        }
        self.lock = lock
        self.imagePath = layout.directory + "/backup.sqlite"
        self.clear()
    }

    /// Removes the copy, or that of a process that was killed.
    func clear() {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(self.imagePath + suffix) }
    }

    deinit {
        self.clear()
    }
}

extension ServiceError {
    fileprivate static func backupUnderWay(_ directory: String) -> ServiceError {
        ServiceError(
            code: .inUse, headline: "Another process backs the instance \"\(directory)\" up.", hresult: .alreadyExists,
            advice: ["Wait until it has ended."])
    }
}
