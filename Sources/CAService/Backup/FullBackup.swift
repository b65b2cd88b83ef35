import BackupSets
import CertificateAuthority
import Foundation
import PKIMessages
import SQLiteStorage

/// Writes everything of a full backup but its manifest. Blocks.
struct FullBackup: Sendable {
    let writing: BackupWriting
    let room: BackupRoom

    func run() throws -> WrittenPart {
        defer { self.room.clear() }
        let instance = self.writing.instance
        var files = try BackedUpFiles(before: instance)
        let database = instance.databasePath
        // Asked by name: SQLite's locks are gone when a process closes a file that it has opened itself
        // (https://www.sqlite.org/howtocorrupt.html, 2.2), and others would take its log away under it.
        let size = try FileTree.byteCount(of: database)
        try FileTree.mustHaveRoom(size + size / 16, at: instance.directory)
        let progress = self.writing.order.progress
        let (image, snapshot) = try DatabaseImage.make(
            of: database, at: self.room.imagePath,
            progress: { part in
                progress(BackupProgress(stage: .copying, done: Int64(part * Double(size)), total: size))
            }, reading: BackupSnapshot.init)
        try files.addRest()
        let copy = try SequentialFile(self.room.imagePath)
        let total = files.files.reduce(copy.byteCount) { $0 + $1.file.byteCount }
        try FileTree.mustHaveRoom(total + total / 256, at: self.writing.directory)
        let part = try self.writing.begin(BackupLayout.fullPart(instance.configuration.name))
        var done: Int64 = 0
        func put(_ file: SequentialFile, _ kind: BackupEntry.Kind, _ name: String) throws {
            try part.entries.append(kind, name, byteCount: file.byteCount) { put in
                try file.forEachPiece { piece in
                    try put(piece)
                    done += Int64(piece.count)
                    progress(BackupProgress(stage: .writing, done: done, total: total))
                }
            }
        }
        try put(copy, .database, InstanceLayout.databaseName)
        for (name, file) in files.files { try put(file, .file, name) }
        let file = try part.finish()
        var state = snapshot.state
        state.requestID = image.highestRequestID
        return WrittenPart(
            manifest: try self.writing.manifest(
                snapshot, state, migrations: image.migrations, changeNumber: image.changeNumber, link: nil, part: file,
                entries: part.entries.entries),
            partKey: part.partKey,
            chain: BackupChainState(
                base: Hexadecimal.lower(self.writing.backupID), position: 0, changeNumber: image.changeNumber,
                revocationChange: image.revocationChange, madeWhen: self.writing.begunWhen,
                migrationCount: image.migrationCount), certificateIndex: snapshot.certificateIndex)
    }
}
