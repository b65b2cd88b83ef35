package import BackupSets
import Diagnostics
import Foundation
import PKIMessages
import SecretMemory

/// One backup on disk.
package struct BackupSet: Sendable {
    package let directory: String
    package let signedManifest: SignedManifest

    package var manifest: BackupManifest { self.signedManifest.manifest }
    /// The encrypted part.
    var part: BackupManifest.File { self.manifest.files[0] }

    /// Reads the manifest. Nothing is checked yet.
    ///
    /// - Throws: `BackupError` with code `noBackup` (0x8007010b) where there is none.
    package init(_ directory: String) throws {
        let path = directory + "/" + BackupLayout.manifest
        guard FilePaths.exists(path) else { throw BackupError.noBackup(directory) }
        self.directory = directory
        self.signedManifest = try SignedManifest(
            bytes: FilePaths.read(path, limit: BackupManifest.maximumBytes), name: path)
    }

    /// Those whose directories lie in a directory, in the order in which they were made.
    ///
    /// - Throws: ``ServiceError`` for a directory that cannot be read, `BackupError` for a manifest that is none.
    package static func all(in directory: String) throws -> [BackupSet] {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
            throw ServiceError.unreadable(directory, error.localizedDescription)
        }
        return try names.sorted().map { directory + "/" + $0 }
            .filter { FilePaths.exists($0 + "/" + BackupLayout.manifest) && !BackupDirectory.isUnfinished($0) }
            .map { try BackupSet($0) }
            .sorted { $0.manifest.createdWhen < $1.manifest.createdWhen }
    }

    func path(_ file: String) -> String { self.directory + "/" + file }

    /// Compares length and SHA-256 of every file with the manifest.
    ///
    /// - Parameter withPart: false when ``readPart(key:progress:_:)`` follows, which reads and compares the part itself.
    /// - Throws: `BackupError` with the file's name: `truncated` or `changed`.
    package func verifyFiles(withPart: Bool = true, progress: (BackupProgress) -> Void = { _ in }) throws {
        for file in self.manifest.files where withPart || file != self.part {
            let input = try self.open(file)
            var digest = DigestState(.sha256)
            var done: Int64 = 0
            try input.forEachPiece { piece in
                digest.update(piece)
                done += Int64(piece.count)
                progress(BackupProgress(stage: .verifying, done: done, total: file.byteCount))
            }
            try self.compare(file, done, digest.finalize())
        }
    }

    private func open(_ file: BackupManifest.File) throws -> SequentialFile {
        let path = self.path(file.path)
        guard FilePaths.exists(path) else { throw BackupError.missing(path) }
        let input = try SequentialFile(path, fromMedium: true)
        guard input.byteCount >= file.byteCount else { throw BackupError.truncated(path, at: input.byteCount) }
        return input
    }

    private func compare(_ file: BackupManifest.File, _ byteCount: Int64, _ sha256: [UInt8]) throws {
        guard byteCount == file.byteCount, Hexadecimal.lower(sha256) == file.sha256 else {
            throw BackupError.changed(self.path(file.path), "its SHA-256 is not the one in the manifest")
        }
    }

    /// Decrypts the part, and compares it and every entry with the manifest.
    ///
    /// - Parameter begin: gives what takes the content of an entry, as the manifest describes it.
    /// - Throws: `BackupError` with the part's name.
    func readPart(
        key: SecretBytes,
        progress: @escaping (BackupProgress) -> Void = { _ in },
        _ begin: (BackupEntry) throws -> (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let path = self.path(self.part.path)
        let input = try self.open(self.part)
        let header = try PartHeader(reading: path, from: input.read)
        guard Hexadecimal.lower(header.backupID) == self.manifest.backupID else {
            throw BackupError.foreign(path, "its identifier is not the one in the manifest")
        }
        let part = try PartReader(path, header: header, partKey: key) { try input.read($0) }
        var reader = EntryReader(path, part)
        var done: Int64 = 0
        var expected = self.manifest.entries[...]
        while let entry = try reader.next({ kind, name in
            // Before anything is made of it.
            guard let next = expected.first, next.kind == kind, next.name == name else {
                throw BackupError.changed(path, "its entries are not those in the manifest")
            }
            let take = try begin(next)
            return { piece in
                try take(piece)
                done += Int64(piece.count)
                progress(BackupProgress(stage: .reading, done: done, total: input.byteCount))
            }
        }) {
            guard entry == expected.first else {
                throw BackupError.changed(path, "its entry \"\(entry.name)\" is not the one in the manifest")
            }
            expected = expected.dropFirst()
        }
        guard expected.isEmpty else { throw BackupError.changed(path, "entries of the manifest are missing") }
        let file = try part.file()
        try self.compare(self.part, file.byteCount, file.sha256)
    }
}

/// How far a long operation has come.
package struct BackupProgress: Sendable, Equatable {
    package enum Stage: String, Sendable {
        case copying = "copying the database"
        case writing = "writing"
        case verifying = "verifying"
        case reading = "reading"
        case applying = "applying changes"
    }

    package var stage: Stage
    /// In bytes, or in parts of ``total``.
    package var done: Int64
    package var total: Int64

    init(stage: Stage, done: Int64, total: Int64) {
        self.stage = stage
        self.done = done
        self.total = total
    }
}

extension BackupError {
    static func missing(_ path: String) -> BackupError {
        BackupError(
            code: .truncated, headline: "\"\(path)\" is missing.", hresult: .fileNotFound,
            advice: ["Take another copy of the backup: all its files belong together."])
    }
}
