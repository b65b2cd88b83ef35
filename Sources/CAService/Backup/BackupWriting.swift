import BackupSets
import CertificateAuthority
import Diagnostics
import Foundation
import Glibc
import KeyProvider
import PKIMessages
import SQLiteStorage
import SecretMemory

/// The encrypted part on disk, with what its manifest will say.
struct WrittenPart: Sendable {
    let manifest: BackupManifest
    let partKey: SecretBytes
    /// Where the chain of backups stands with this one.
    let chain: BackupChainState
    /// Index of the newest CA certificate that is in it.
    let certificateIndex: Int
}

/// What full and incremental backups have in common: part, certificates, manifest.
struct BackupWriting: Sendable {
    let instance: Instance
    let order: BackupOrder
    let directory: String
    let backupID: [UInt8]
    /// Whatever is changed from then on is in the next backup of the chain.
    let begunWhen: Date

    /// A part that is being written.
    final class Part {
        let partKey: SecretBytes
        let entries: EntryWriter
        private let name: String
        private let output: AppendedFile

        fileprivate init(_ writing: BackupWriting, _ name: String) throws {
            let output = try AppendedFile(creating: writing.directory + "/" + name)
            let (header, partKey) = try writing.order.recipients.makeHeader(
                backupID: writing.backupID, randomBytes: writing.instance.surroundings.randomBytes)
            self.name = name
            self.partKey = partKey
            self.output = output
            self.entries = EntryWriter(
                try PartWriter(header: header, partKey: partKey) { try output.append($0) })
        }

        /// Ends and syncs it.
        func finish() throws -> BackupManifest.File {
            let file = try self.entries.finish()
            try self.output.synchronize()
            return BackupManifest.File(
                path: self.name, byteCount: file.byteCount, sha256: Hexadecimal.lower(file.sha256))
        }
    }

    func begin(_ part: String) throws -> Part { try Part(self, part) }

    func manifest(
        _ snapshot: BackupSnapshot, _ state: BackupManifest.State, migrations: [String], changeNumber: Int64,
        link: BackupManifest.Link?, part: BackupManifest.File, entries: [BackupEntry]
    ) throws -> BackupManifest {
        guard let first = snapshot.certificates.filter({ $0.use == .own }).min(by: { $0.index < $1.index }) else {
            throw ServiceError.notInstalled(self.instance.configuration.name)
        }
        let bundle = try self.writeCertificates(snapshot.certificates)
        return BackupManifest(
            backupID: Hexadecimal.lower(self.backupID), kind: link == nil ? .full : .incremental, link: link,
            changeNumber: changeNumber, authority: self.instance.configuration.name,
            authoritySHA256: Hexadecimal.lower(Digest.sha256.hash(first.certificateDER)), certificates: [],
            createdWhen: self.begunWhen, program: CAServiceVersion.text, migrations: migrations, state: state,
            keys: snapshot.keys, files: [part, bundle], entries: entries)
    }

    private func writeCertificates(_ records: [CACertificateRecord]) throws -> BackupManifest.File {
        let bytes = try SignedData.degenerate(certificates: records.bundle.map(\.certificateDER))
        let name = BackupLayout.certificates(self.instance.configuration.name)
        try FilePaths.create(self.directory + "/" + name, with: bytes, mode: 0o600)
        return BackupManifest.File(
            path: name, byteCount: Int64(bytes.count), sha256: Hexadecimal.lower(Digest.sha256.hash(bytes)))
    }
}

/// What a manifest tells of the database, read in the state that is backed up.
struct BackupSnapshot: Sendable {
    /// The number of the newest request is not in it.
    let state: BackupManifest.State
    let certificates: [CACertificateRecord]
    let keys: [BackupManifest.Key]

    var certificateIndex: Int { self.certificates.filter { $0.use == .own }.map(\.index).max() ?? -1 }

    init(_ db: any StorageReading) throws {
        let (certificates, head) = (try db.caCertificates(), try db.auditHead())
        self.state = BackupManifest.State(
            crlNumber: try db.highestCRLNumber(), requestID: 0, intentID: try db.lastIntentID(),
            auditSequence: head?.sequence ?? 0,
            auditHash: Hexadecimal.lower(head?.hash ?? AuditChain.firstPreviousHash))
        self.certificates = certificates
        self.keys = try BackupManifest.Key.all(certificates, db)
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
