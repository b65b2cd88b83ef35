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
    /// Called from the thread that works.
    package var progress: @Sendable (BackupProgress) -> Void

    package init(
        directory: String, recipients: BackupRecipients, replaces: Bool = false,
        progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) {
        self.directory = directory
        self.recipients = recipients
        self.replaces = replaces
        self.progress = progress
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
            let type = BackupManifest.Kind.full.rawValue
            try await self.instance.record(.backupStarted, by: who, details: ["Backup Type": type])
            let writing = FullBackup(
                instance: self.instance, order: order, directory: directory.path, room: room,
                backupID: try random(PartHeader.identifierBytes))
            let written = try await BackgroundThread.run { try writing.run() }
            let set = try await self.sign(written, in: directory.path)
            try await BackgroundThread.run {
                try set.verifyFiles(progress: order.progress)
                try set.readPart(key: { _, _ in written.partKey }, progress: order.progress) { _, _ in { _ in } }
            }
            try directory.finish()
            let hash = Digest.sha256.hash(set.signedManifest.bytes)
            try await self.instance.record(
                .backupCompleted, by: who,
                details: [
                    "Backup Type": type, "Backup ID": set.manifest.backupID, "Directory": order.directory,
                    "Manifest SHA-256": Hexadecimal.lower(hash),
                ])
            return FinishedBackup(directory: order.directory, manifest: set.manifest, manifestSHA256: hash)
        } catch {
            try directory.abandon()
            throw error
        }
    }

    private func sign(_ written: WrittenPart, in directory: String) async throws -> BackupSet {
        var manifest = written.manifest
        manifest.certificates = self.authority.chainDER.map { Hexadecimal.lower(Digest.sha256.hash($0)) }
        let draft = try SignedDataDraft(
            eContentType: OID.data, eContent: manifest.json(),
            signer: .issuerAndSerialNumber(self.authority.signerIdentifier),
            signatureAlgorithm: self.authority.signatureAlgorithm, certificates: self.authority.chainDER)
        let message = try await self.authority.signedMessage(draft, purpose: "backup \(written.manifest.backupID)")
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
    private let descriptor: Int32

    /// - Throws: ``ServiceError`` with code `inUse`.
    init(_ layout: InstanceLayout) throws {
        let path = layout.directory + "/backup.lock"
        self.imagePath = layout.directory + "/backup.sqlite"
        self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw ServiceError.notWritten(path, String(cString: strerror(errno))) }
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(self.descriptor)
            throw ServiceError.backupUnderWay(layout.directory)
        }
        self.clear()
    }

    /// Removes the copy, or that of a process that was killed.
    func clear() {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(self.imagePath + suffix) }
    }

    deinit {
        self.clear()
        close(self.descriptor)
    }
}

/// The encrypted part on disk, with what its manifest will say.
struct WrittenPart: Sendable {
    let manifest: BackupManifest
    let partKey: SecretBytes
}

/// Writes everything of a full backup but its manifest. Blocks.
struct FullBackup: Sendable {
    let instance: Instance
    let order: BackupOrder
    let directory: String
    let room: BackupRoom
    let backupID: [UInt8]

    private struct Snapshot {
        var state: BackupManifest.State
        var certificates: [CACertificateRecord]
        var keys: [BackupManifest.Key]
    }

    func run() throws -> WrittenPart {
        defer { self.room.clear() }
        var files = try BackedUpFiles(before: self.instance)
        let database = self.instance.databasePath
        let size = try SequentialFile(database).byteCount
        try FileTree.mustHaveRoom(size + size / 16, at: self.instance.directory)
        let (image, snapshot) = try DatabaseImage.make(
            of: database, at: self.room.imagePath,
            progress: { part in
                self.order.progress(
                    BackupProgress(stage: .copying, done: Int64(part * Double(size)), total: size))
            },
            reading: Self.snapshot)
        try files.addRest()
        let copy = try SequentialFile(self.room.imagePath)
        let total = files.files.reduce(copy.byteCount) { $0 + $1.file.byteCount }
        try FileTree.mustHaveRoom(total + total / 256, at: self.directory)
        let (part, entries, partKey) = try self.writePart(copy, files, total)
        let bundle = try self.writeCertificates(snapshot.certificates)
        guard let first = snapshot.certificates.filter({ $0.use == .own }).min(by: { $0.index < $1.index }) else {
            throw ServiceError.notInstalled(self.instance.configuration.name)
        }
        var state = snapshot.state
        state.requestID = image.highestRequestID
        let manifest = BackupManifest(
            backupID: Hexadecimal.lower(self.backupID), kind: .full, changeNumber: 0,
            authority: self.instance.configuration.name,
            authoritySHA256: Hexadecimal.lower(Digest.sha256.hash(first.certificateDER)), certificates: [],
            createdWhen: self.instance.surroundings.now(), program: CAServiceVersion.text,
            migrations: image.migrations, state: state, keys: snapshot.keys, files: [part, bundle], entries: entries)
        return WrittenPart(manifest: manifest, partKey: partKey)
    }

    private func writePart(
        _ image: SequentialFile, _ files: BackedUpFiles, _ total: Int64
    ) throws -> (BackupManifest.File, [BackupEntry], SecretBytes) {
        let name = BackupLayout.fullPart(self.instance.configuration.name)
        let output = try AppendedFile(creating: self.directory + "/" + name)
        let (header, partKey) = try self.order.recipients.makeHeader(
            backupID: self.backupID, randomBytes: self.instance.surroundings.randomBytes)
        let part = try PartWriter(header: header, partKey: partKey) { try output.append($0) }
        let writer = EntryWriter(part)
        var done: Int64 = 0
        func copy(_ file: SequentialFile, _ put: (UnsafeRawBufferPointer) throws -> Void) throws {
            try file.forEachPiece { piece in
                try put(piece)
                done += Int64(piece.count)
                self.order.progress(BackupProgress(stage: .writing, done: done, total: total))
            }
        }
        try writer.append(.database, InstanceLayout.databaseName, byteCount: image.byteCount) { try copy(image, $0) }
        for (name, file) in files.files {
            try writer.append(.file, name, byteCount: file.byteCount) { try copy(file, $0) }
        }
        let sha256 = try writer.finish()
        try output.synchronize()
        let file = BackupManifest.File(path: name, byteCount: part.byteCount, sha256: Hexadecimal.lower(sha256))
        return (file, writer.entries, partKey)
    }

    /// The own certificates, newest first, each followed by nothing; then those above the newest one, the root last.
    private func writeCertificates(_ records: [CACertificateRecord]) throws -> BackupManifest.File {
        let own = records.filter { $0.use == .own }.sorted { $0.index > $1.index }
        let above = records.filter { $0.use == .chain }.sorted { $0.index < $1.index }
        let bytes = try SignedData.degenerate(certificates: (own + above).map(\.certificateDER))
        let name = BackupLayout.certificates(self.instance.configuration.name)
        try FilePaths.create(self.directory + "/" + name, with: bytes, mode: 0o600)
        return BackupManifest.File(
            path: name, byteCount: Int64(bytes.count), sha256: Hexadecimal.lower(Digest.sha256.hash(bytes)))
    }

    private static func snapshot(_ db: any StorageReading) throws -> Snapshot {
        let (certificates, head) = (try db.caCertificates(), try db.auditHead())
        return Snapshot(
            state: BackupManifest.State(
                crlNumber: try db.highestCRLNumber(), requestID: 0, intentID: try db.lastIntentID(),
                auditSequence: head?.sequence ?? 0,
                auditHash: Hexadecimal.lower(head?.hash ?? AuditChain.firstPreviousHash)),
            certificates: certificates, keys: try BackupManifest.Key.all(certificates, db))
    }
}

extension BackupManifest.Key {
    /// Every key that the CA needs: its own, those of exchange certificates that are on a token, those of its agents.
    fileprivate static func all(
        _ certificates: [CACertificateRecord], _ db: any StorageReading
    ) throws -> [BackupManifest.Key] {
        func key(_ role: Role, _ der: [UInt8], _ reference: String?) throws -> BackupManifest.Key {
            let certificate = try CertificateFields(derEncoded: der)
            return BackupManifest.Key(
                role: role, reference: reference,
                publicKeySHA256: Hexadecimal.lower(certificate.subjectPublicKeyInfo.sha256),
                subject: "\(certificate.subject)")
        }
        var keys: [BackupManifest.Key] = []
        for record in certificates.filter({ $0.use == .own }).sorted(by: { $0.index > $1.index }) {
            let found = try key(.authority, record.certificateDER, record.locator?.reference.uri)
            if !keys.contains(where: { $0.publicKeySHA256 == found.publicKeySHA256 }) { keys.append(found) }
        }
        for record in try db.exchangeCertificates() where record.retiredWhen == nil {
            keys.append(try key(.exchange, record.certificateDER, record.locator.reference.uri))
        }
        for agent in try db.keyRecoveryAgents() { keys.append(try key(.recoveryAgent, agent.certificateDER, nil)) }
        return keys
    }
}

extension ServiceError {
    fileprivate static func backupUnderWay(_ directory: String) -> ServiceError {
        ServiceError(
            code: .inUse, headline: "Another process backs the instance \"\(directory)\" up.", hresult: .alreadyExists,
            advice: ["Wait until it has ended."])
    }
}
