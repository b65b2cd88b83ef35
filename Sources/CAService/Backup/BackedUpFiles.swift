import CoreFoundation
import Foundation
import Glibc
import PKIMessages

/// The files of an instance that a backup holds beside the database: all that the configuration says or names, and all
/// that was published. Never a PIN, a password or a key.
struct BackedUpFiles {
    private(set) var files: [(name: String, file: SequentialFile)] = []
    private let instance: Instance

    /// Opens the lists that are too large for the database. A service that signs a newer list removes the older file,
    /// which stays readable for who has it open.
    init(before instance: Instance) throws {
        self.instance = instance
        try self.addAll(in: "crl") { $0.hasSuffix(".crl") }
    }

    /// Adds everything else, and the lists that came meanwhile: what is opened after the database was copied is never
    /// older than the copy.
    mutating func addRest() throws {
        let directory = self.instance.directory
        for name in ["signet.yaml", "enabled-templates.yaml", "directory.yaml", "CAPolicy.inf", "ca-policy.yaml"] {
            if FilePaths.exists(directory + "/" + name) { try self.add(name) }
        }
        try self.addAll(in: "templates") { $0.hasSuffix(".yaml") }
        try self.addAll(in: "publish") { $0.hasSuffix(".crl") || $0.hasSuffix(".crt") }
        try self.addAll(in: "crl") { $0.hasSuffix(".crl") }
        for path in self.instance.configuration.certificatePaths {
            // Elsewhere on the machine, it is not the instance's.
            guard !path.hasPrefix("/"), FilePaths.exists(directory + "/" + path) else { continue }
            if FileTree.isDirectory(directory + "/" + path) {
                try self.addAll(in: path) { !BackedUpFiles.hasKey(directory + "/" + path + "/" + $0) }
            } else if !BackedUpFiles.hasKey(directory + "/" + path) {
                try self.add(path)
            }
        }
    }

    private mutating func addAll(in directory: String, _ isWanted: (String) -> Bool) throws {
        let path = self.instance.directory + "/" + directory
        guard FilePaths.exists(path) else { return }
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            throw ServiceError.unreadable(path, error.localizedDescription)
        }
        for name in names.sorted() where isWanted(name) && !name.hasPrefix(".") {
            try self.add(directory + "/" + name)
        }
    }

    /// True for a certificate's file that has its private key in it, too, and for one that cannot be read.
    private static func hasKey(_ path: String) -> Bool {
        // `try?`: what cannot be read cannot be backed up, and is no certificate.
        guard let bytes = try? FilePaths.read(path) else { return true }
        return String(decoding: bytes, as: UTF8.self).contains("PRIVATE KEY-----")
    }

    private mutating func add(_ name: String) throws {
        guard !self.files.contains(where: { $0.name == name }) else { return }
        self.files.append((name, try SequentialFile(self.instance.directory + "/" + name)))
    }
}

extension InstanceConfiguration {
    /// Files and directories with certificates of others, as the configuration names them.
    var certificatePaths: [String] {
        [
            self.web.tls?.certificate, self.web.tls?.clientAuthorities, self.archival.trustedAgents,
            self.requests.trustedSigners,
        ].compactMap { $0 }
    }
}

extension FileTree {
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
