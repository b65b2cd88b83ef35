package import BackupSets
package import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages

/// What somebody has to know who moves a CA to another directory, machine or name of a machine (KB 298138).
package struct MovePlan: Sendable {
    package var authority: String
    /// `pkcs11:` references of the CA's keys.
    package var keys: [String]
    package var templates: [String]
    /// Files that the configuration names and that no backup has.
    package var files: [String]
    /// Programs and modules of this machine.
    package var programs: [String]
    /// Where the database is, when that is not in the instance.
    package var database: String?
    /// Addresses that stand in issued certificates.
    package var addresses: [String]
    /// Accounts of this machine that have roles.
    package var accounts: [String]
}

extension Instance {
    /// - Throws: `RequestError` without the role of backup operator.
    package func movePlan(for who: Principal) async throws -> MovePlan {
        try who.mustBeAllowed(.backUp, to: "plan a move of the CA")
        let (records, mappings) = try await self.storage.read { (try $0.caCertificates(), try $0.identityMappings()) }
        let configuration = self.configuration
        var files = configuration.tokens.values.compactMap { token -> String? in
            if case .file(let path) = token.pin { path } else { nil }
        }
        if case .file(let path)? = configuration.web.tls?.key { files.append(path) }
        return MovePlan(
            authority: configuration.name,
            keys: Set(records.filter { $0.use == .own }.compactMap { $0.locator?.reference.uri }).sorted(),
            templates: try self.enabledTemplates().map(\.name).sorted(),
            files: Set(files + configuration.certificatePaths.filter { $0.hasPrefix("/") }).sorted(),
            programs: Set(
                configuration.tokens.values.map(\.module) + [configuration.notifications?.program].compactMap { $0 }
            ).sorted(),
            database: configuration.database, addresses: [configuration.web.publicationURL],
            accounts: mappings.filter { [.systemUser, .systemGroup].contains($0.source) }
                .map { "\($0.source.rawValue) \($0.name)" }.sorted())
    }
}

/// That an instance was moved away, or replaced by a restore. It does not open, so that two never sign as the same CA.
package struct Retirement: Sendable, Codable, Equatable {
    /// ISO 8601.
    package var when: String
    package var who: String
    /// `nil` until the backup with which it moves is whole.
    package var backupID: String?
    /// Set where a restore has put another one in its place.
    package var isReplaced: Bool?

    /// - Returns: `nil` for an instance that was not.
    static func read(_ layout: InstanceLayout) throws -> Retirement? {
        guard FilePaths.exists(layout.retirementPath) else { return nil }
        let bytes = try FilePaths.read(layout.retirementPath)
        do { return try JSONDecoder().decode(Retirement.self, from: Data(bytes)) } catch {
            throw ServiceError.unreadable(layout.retirementPath, "it does not say when and by whom")
        }
    }

    func write(_ layout: InstanceLayout) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try FilePaths.replace(layout.retirementPath, with: Array(encoder.encode(self)), mode: 0o600)
        try FileTree.synchronizeDirectory(layout.directory)
    }
}

extension Authority {
    /// Backs the CA up for the last time here, and retires the instance. The service must not run, and nobody else may have
    /// the instance open.
    ///
    /// - Throws: as ``backUp(_:by:)``; ``ServiceError`` with code `inUse`. The instance goes on as before then.
    package func moveAway(_ order: BackupOrder, by who: Principal) async throws -> FinishedBackup {
        try who.mustBeAllowed(.backUp, to: "move the CA")
        let layout = self.instance.layout
        let service = try InstanceLock(layout)
        defer { withExtendedLifetime(service) {} }
        try self.instance.excludeOthers()
        // Before the backup: whatever is issued afterwards would not be in it.
        var retirement = Retirement(when: self.instance.surroundings.now().ISO8601Format(), who: who.name)
        try retirement.write(layout)
        do {
            let finished = try await self.backUp(order, by: who)
            retirement.backupID = finished.manifest.backupID
            try retirement.write(layout)
            return finished
        } catch {
            try FilePaths.remove(layout.retirementPath)
            throw error
        }
    }
}

extension Instance {
    /// Lets an instance that was moved away sign again, because the CA did not arrive elsewhere.
    ///
    /// - Throws: `RequestError` without the role of backup operator; ``ServiceError`` when it was not moved away.
    package static func undoMove(
        _ directory: String, secrets: SecretInput, surroundings: Surroundings = .system
    ) async throws {
        let layout = InstanceLayout(directory: directory)
        guard let retirement = try Retirement.read(layout) else { throw ServiceError.notMoved(directory) }
        let instance = try Instance.open(layout, secrets: secrets, surroundings: surroundings)
        let who = try await instance.localOperator()
        try who.mustBeAllowed(.restore, to: "take a CA back that was moved")
        try await instance.record(
            .configurationChanged, by: who,
            details: ["Node": "", "Entry": "retirement", "Value": "undone; backup \(retirement.backupID ?? "none")"])
        try FilePaths.remove(layout.retirementPath)
        try instance.close()
    }

    /// The templates of a backup that are other ones here, or missing, by the names of their files; in a sentence.
    package static func templateComparison(in directory: String, since manifest: BackupManifest) throws -> String {
        let changed = try manifest.entries.filter { $0.kind == .file && $0.name.hasPrefix("templates/") }.filter {
            entry in
            let path = directory + "/" + entry.name
            guard FilePaths.exists(path) else { return true }
            return try Hexadecimal.lower(Digest.sha256.hash(FilePaths.read(path))) != entry.sha256
        }
        guard !changed.isEmpty else { return "Templates: as they were" }
        return "Templates that differ: \(changed.map(\.name).joined(separator: ", "))"
    }
}

extension ServiceError {
    static func retired(_ directory: String, _ retirement: Retirement) -> ServiceError {
        let isReplaced = retirement.isReplaced == true
        let what = isReplaced ? "was replaced by a restore" : "was moved away"
        let advice: Advice =
            isReplaced
            ? """
            Work with the instance that is in its place. To take this one back, exchange their directories first; then, and \
            only when the other one is used no more: `signet move undo --instance DIR --confirm`.
            """
            : "Work where it was moved to. Only when it is in use nowhere else: `signet move undo --instance DIR --confirm`."
        return ServiceError(
            code: .suspended, headline: "The CA in \"\(directory)\" \(what), and does not work here any more.",
            hresult: .serverSuspended,
            facts: [
                Fact("when", retirement.when), Fact("by", retirement.who),
                Fact("backup", retirement.backupID ?? "none"),
            ],
            advice: [advice])
    }

    fileprivate static func notMoved(_ directory: String) -> ServiceError {
        ServiceError(
            code: .nothingToInstall, headline: "The CA in \"\(directory)\" was not moved away.",
            hresult: .badRequestStatus, advice: ["Name the instance that `signet move export` was run on."])
    }
}
