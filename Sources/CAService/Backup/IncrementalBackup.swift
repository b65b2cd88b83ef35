import BackupSets
import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage

/// Writes what changed since the last backup of the chain, but the manifest. Costs what changed, not what is there. Blocks.
struct IncrementalBackup: Sendable {
    /// In the content, beside the blocks of the tables: the names of all files that the instance has.
    static let fileNames = "changes/file-names"

    /// In seconds: a file that has not changed may well be in it.
    private static let clockMargin = 60.0

    let writing: BackupWriting
    let chain: BackupChainState

    func run() throws -> WrittenPart {
        guard let base = self.chain.base else { throw BackupError.noFullBackup() }
        let instance = self.writing.instance
        var files = try BackedUpFiles(before: instance)
        let position = self.chain.position + 1
        let part = try self.writing.begin(BackupLayout.incrementalPart(position))
        var done: Int64 = 0
        let (changes, snapshot) = try DatabaseChanges.read(
            of: instance.databasePath, after: self.chain,
            take: { name, block in
                try FileTree.mustHaveRoom(Int64(block.count) * 2, at: self.writing.directory)
                try part.entries.append(.changes, "changes/" + name, block)
                done += Int64(block.count)
                self.writing.order.progress(BackupProgress(stage: .writing, done: done, total: done))
            }, reading: BackupSnapshot.init)
        // The tables were made anew since the chain was looked at.
        guard changes.migrationCount == self.chain.migrationCount else { throw BackupError.noFullBackup() }
        try files.addRest()
        let names = Array(try JSONEncoder().encode(files.files.map(\.name)))
        try part.entries.append(.changes, Self.fileNames, names)
        let since = self.chain.madeWhen.addingTimeInterval(-Self.clockMargin)
        for (name, file) in files.files where file.changedWhen >= since {
            try part.entries.append(.file, name, byteCount: file.byteCount) { try file.forEachPiece($0) }
        }
        let file = try part.finish()
        var state = snapshot.state
        state.requestID = changes.highestRequestID
        return WrittenPart(
            manifest: try self.writing.manifest(
                snapshot, state, migrations: changes.migrations, changeNumber: changes.changeNumber,
                link: .init(base: base, position: position, after: self.chain.changeNumber), part: file,
                entries: part.entries.entries),
            partKey: part.partKey,
            chain: BackupChainState(
                base: base, position: position, changeNumber: changes.changeNumber,
                revocationChange: changes.revocationChange, madeWhen: self.writing.begunWhen,
                migrationCount: changes.migrationCount), certificateIndex: snapshot.certificateIndex)
    }
}

extension BackupError {
    static func noFullBackup() -> BackupError {
        BackupError(
            code: Code(rawValue: "noFullBackup"),
            headline: "There is no full backup that an incremental one could follow.", hresult: .unexpected,
            advice: ["Make a full backup first: `signet backup create DIR`."])
    }
}
