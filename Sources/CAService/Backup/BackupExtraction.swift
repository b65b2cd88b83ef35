import BackupSets
import CertificateAuthority
import Foundation
import PKIMessages
import SQLiteStorage
import SecretMemory

/// A chain of backups that becomes an instance in a directory of its own, which does not open before it is finished.
struct BackupExtraction: Sendable {
    /// The longest block that is taken into memory, in bytes: a block ends with the row that makes it large.
    private static let maximumBlockBytes: Int64 = 320 << 20

    let chain: BackupChain
    /// Of each set in the chain.
    let keys: [SecretBytes]
    let layout: InstanceLayout
    let progress: @Sendable (BackupProgress) -> Void

    /// Checks every signature and file before anything is made.
    ///
    /// - Throws: `BackupError` with the file's name.
    init(
        _ backups: [String], in directory: String, trusting trust: BackupTrust, opener: BackupOpener,
        progress: @escaping @Sendable (BackupProgress) -> Void
    ) async throws {
        let chain = try BackupChain(backups.map { try BackupSet($0) })
        for set in chain.sets { try set.verifySignature(trust) }
        try await BackgroundThread.run { for set in chain.sets { try set.verifyFiles(progress: progress) } }
        var keys: [SecretBytes] = []
        for set in chain.sets { keys.append(try await opener.partKey(of: set)) }
        await opener.close()
        self.chain = chain
        self.keys = keys
        self.layout = InstanceLayout(directory: directory)
        self.progress = progress
    }

    /// Makes the directory, with the marker in it before anything else, and everything that the backups have.
    func run() async throws {
        try self.makeDirectory()
        try await BackgroundThread.run { try self.extract() }
    }

    private func makeDirectory() throws {
        try FilePaths.makeDirectory(self.layout.directory)
        try FilePaths.create(self.layout.restoreMarkerPath, with: [], mode: 0o600)
        try FileTree.synchronizeDirectory(self.layout.directory)
        for directory in [
            self.layout.templatesDirectory, self.layout.publicationDirectory, self.layout.largeListDirectory,
        ] { try FilePaths.makeDirectory(directory) }
    }

    private func extract() throws {
        try self.chain.full.readPart(key: self.keys[0], progress: self.progress) {
            try self.newFile($0.name)
        }
        let database = try ChangeApplication(path: self.layout.databasePath)
        for (set, key) in zip(self.chain.increments, self.keys.dropFirst()) {
            try set.readPart(key: key, progress: self.progress) { entry in
                switch entry.kind {
                case .file: return try self.newFile(entry.name)
                case .changes: break
                case .database:
                    throw BackupError.changed(set.directory, "an increment has a whole database in it")
                }
                return try Self.collecting(entry, in: set) { bytes in
                    if entry.name == IncrementalBackup.fileNames {
                        try self.removeOthers(than: bytes)
                    } else {
                        try database.apply(bytes)
                    }
                }
            }
        }
        try database.finish()
    }

    /// A file in the place of the one that an earlier backup had.
    private func newFile(_ name: String) throws -> (UnsafeRawBufferPointer) throws -> Void {
        let path = self.layout.directory + "/" + name
        guard path != self.layout.restoreMarkerPath else {
            throw BackupError.changed(name, "no backup has this file")
        }
        try self.makeParents(of: name)
        if FilePaths.exists(path) { try FilePaths.remove(path) }
        let output = try AppendedFile(creating: path)
        return { try output.append($0) }
    }

    private static func collecting(
        _ entry: BackupEntry, in set: BackupSet, _ body: @escaping ([UInt8]) throws -> Void
    ) throws -> (UnsafeRawBufferPointer) throws -> Void {
        guard (1...Self.maximumBlockBytes).contains(entry.byteCount) else {
            throw BackupError.changed(set.directory, "its entry \"\(entry.name)\" has a length that no backup has")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(entry.byteCount))
        return { piece in
            bytes.append(contentsOf: piece)
            if bytes.count == entry.byteCount { try body(bytes) }
        }
    }

    /// Removes the files that the instance did not have any more.
    private func removeOthers(than json: [UInt8]) throws {
        let kept: Set<String>
        do { kept = try Set(JSONDecoder().decode([String].self, from: Data(json))) } catch {
            throw BackupError.changed(IncrementalBackup.fileNames, "it is no list of files")
        }
        let database = InstanceLayout.databaseName
        for name in try FileManager.default.subpathsOfDirectory(atPath: self.layout.directory) {
            let path = self.layout.directory + "/" + name
            guard !kept.contains(name), !name.hasPrefix(database), path != self.layout.restoreMarkerPath,
                !FileTree.isDirectory(path)
            else { continue }
            try FilePaths.remove(path)
        }
    }

    private func makeParents(of name: String) throws {
        var path = self.layout.directory
        for part in name.split(separator: "/").dropLast() {
            path += "/" + part
            try FilePaths.makeDirectory(path)
        }
    }

    /// A restored database is in the instance's directory. Where the configuration names another place, there may be one
    /// that must not be touched.
    ///
    /// - Returns: the place that the configuration named.
    func takeDatabaseIn() throws -> String? {
        guard let place = try self.layout.configuration().database else { return nil }
        let lines = String(decoding: try FilePaths.read(self.layout.configurationPath), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("database:") ? "# \($0)" : String($0) }
        try FilePaths.replace(
            self.layout.configurationPath, with: Array(lines.joined(separator: "\n").utf8), mode: 0o600)
        guard try self.layout.configuration().database == nil else {
            throw ServiceError.invalid(
                self.layout.configurationPath, "database", "it cannot be taken out, because it is not a line of its own"
            )
        }
        return place
    }

    /// Describes tokens anew; everything else in signet.yaml stays as it is, comments too.
    ///
    /// - Throws: ``ServiceError`` for a name that the configuration does not have.
    func describe(_ tokens: [String: TokenConfiguration]) throws {
        guard !tokens.isEmpty else { return }
        var lines = String(decoding: try FilePaths.read(self.layout.configurationPath), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for (name, token) in tokens {
            guard try self.layout.configuration().tokens[name] != nil else { throw ServiceError.unknownToken(name) }
            let heads = ["  \(name):", "  \(YAMLText.quoted(name)):"]
            guard let section = lines.firstIndex(where: { $0.hasPrefix("tokens:") }),
                let start = lines[section...].firstIndex(where: { heads.contains($0) })
            else {
                throw ServiceError.invalid(
                    self.layout.configurationPath, "tokens", "the token \(name) is not described in lines of its own")
            }
            let end = lines[(start + 1)...].firstIndex { !$0.hasPrefix("   ") && !$0.isEmpty } ?? lines.endIndex
            lines.replaceSubrange(
                start..<end, with: token.yamlText(name: name).split(separator: "\n").map(String.init))
        }
        try FilePaths.replace(
            self.layout.configurationPath, with: Array(lines.joined(separator: "\n").utf8), mode: 0o600)
        let described = try self.layout.configuration().tokens
        for (name, token) in tokens where described[name] != token {
            throw ServiceError.invalid(self.layout.configurationPath, "tokens", "the token \(name) is not as described")
        }
    }

    /// Copies the PIN files of another instance of the CA: no backup has them.
    ///
    /// - Returns: those that the configuration names and nobody has.
    func carrySecrets(from other: InstanceLayout) throws -> [String] {
        let configuration = try self.layout.configuration()
        var names = configuration.tokens.values.compactMap { token -> String? in
            if case .file(let path) = token.pin { path } else { nil }
        }
        if case .file(let path)? = configuration.web.tls?.key { names.append(path) }
        var missing: [String] = []
        for name in Set(names).sorted() {
            guard !name.hasPrefix("/") else {
                if !FilePaths.exists(name) { missing.append(name) }
                continue
            }
            let source = other.directory + "/" + name
            guard BackupEntry.isSafe(name), FilePaths.exists(source) else {
                missing.append(name)
                continue
            }
            try self.makeParents(of: name)
            try FilePaths.replace(
                self.layout.directory + "/" + name, secret: FilePaths.readSecret(source))
        }
        return missing
    }
}

extension InstanceLayout {
    /// What signet.yaml says.
    func configuration() throws -> InstanceConfiguration {
        try InstanceConfiguration(
            yaml: String(decoding: FilePaths.read(self.configurationPath), as: UTF8.self),
            file: self.configurationPath)
    }
}
