package import CertificateAuthority
import Diagnostics
import Foundation

/// An instance in whose place a restore has put another one. It lies beside it, whole, and does not open.
package struct ReplacedInstance: Sendable {
    package let directory: String
    /// ISO 8601, and by whom; `nil` where nothing says so.
    package let when: String?
    package let who: String?
    /// Of all files in the directory.
    package let byteCount: Int64
}

extension InstanceLayout {
    private static let replacedSuffix = ".before-restore-"

    /// A free name for the instance that is replaced now.
    func nameForReplaced(at now: Date) -> String {
        let stamp = now.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
        let name = self.directory + Self.replacedSuffix + stamp
        guard FilePaths.exists(name) else { return name }
        return (2...).lazy.map { "\(name)-\($0)" }.first { !FilePaths.exists($0) } ?? name
    }

    /// The directories of those that were replaced, oldest first.
    fileprivate func replaced() throws -> [String] {
        let url = URL(fileURLWithPath: self.directory)
        let parent = url.deletingLastPathComponent().path
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: parent) } catch {
            throw ServiceError.unreadable(parent, error.localizedDescription)
        }
        return names.filter { $0.hasPrefix(url.lastPathComponent + Self.replacedSuffix) }.sorted()
            .map { parent + "/" + $0 }
    }
}

extension Instance {
    /// What restores have left beside this instance, oldest first.
    ///
    /// - Throws: `RequestError` without the role of backup operator.
    package func replacedInstances(for who: Principal) throws -> [ReplacedInstance] {
        try who.mustBeAllowed(.restore, to: "list what restores have replaced")
        return try self.layout.replaced().map { directory in
            let retirement = try Retirement.read(InstanceLayout(directory: directory))
            return ReplacedInstance(
                directory: directory, when: retirement?.when, who: retirement?.who,
                byteCount: try FileTree.totalBytes(of: directory))
        }
    }

    /// Removes one of them for ever, once each key of this instance has worked. Audit event 795.
    ///
    /// - Throws: `RequestError` without the role of backup operator; ``ServiceError`` with code `notReplaced` for a directory
    ///   that is none of them, `inUse` while somebody has it open; what a token throws whose key does not work. Nothing is
    ///   removed then.
    package func removeReplaced(_ directory: String, by who: Principal) async throws {
        let known = try self.replacedInstances(for: who).map(\.directory)
        let wanted = URL(fileURLWithPath: directory).standardizedFileURL.path
        guard let found = known.first(where: { URL(fileURLWithPath: $0).standardizedFileURL.path == wanted }) else {
            throw ServiceError.notReplaced(directory, by: self.layout.directory)
        }
        let use = try InstanceUse(excluding: InstanceLayout(directory: found))
        defer { withExtendedLifetime(use) {} }
        let authority = try await self.authority().authority
        for signer in authority.signers {
            try await authority.prove(signer, purpose: "removal of what a restore has replaced")
        }
        try await self.record(
            .configurationChanged, by: who,
            details: ["Node": "", "Entry": "replaced instance", "Value": "removed: \(found)"])
        try FileTree.remove(found)
    }
}

extension FileTree {
    fileprivate static func totalBytes(of directory: String) throws -> Int64 {
        let names: [String]
        do { names = try FileManager.default.subpathsOfDirectory(atPath: directory) } catch {
            throw ServiceError.unreadable(directory, error.localizedDescription)
        }
        return try names.reduce(0) { try $0 + FileTree.byteCount(of: directory + "/" + $1) }
    }
}

extension ServiceError {
    fileprivate static func notReplaced(_ directory: String, by instance: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "notReplaced"),
            headline: "\"\(directory)\" is nothing that a restore of \"\(instance)\" has replaced.",
            hresult: .invalidDirectory, advice: ["Name a directory that `signet backup replaced` lists."])
    }
}
