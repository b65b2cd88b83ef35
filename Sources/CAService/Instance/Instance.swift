package import CertificateAuthority
import Foundation
package import KeyProvider
package import PKIMessages
import SQLiteStorage

/// An instance on disk, opened: configuration, templates and database. No token is touched yet.
package struct Instance: Sendable {
    package let directory: String
    package let configuration: InstanceConfiguration
    package let templates: [CertificateTemplate]
    /// Of the template files, from before they were read.
    let templateFingerprint: [String]
    package let storage: any CAStorage
    package let tokens: TokenOpener
    package let surroundings: Surroundings
    /// The same as ``storage``, for backups.
    let database: SQLiteStorage
    private let use: InstanceUse

    /// - Parameters:
    ///   - secrets: where PINs are read from.
    ///   - claim: how the database is this instance's.
    ///   - other: whose modules the instance's tokens use as well; it is closed after the instance's.
    /// - Throws: ``ServiceError`` or `StorageError`, `otherInstance` for another instance's database; ``ServiceError`` with
    ///   code `suspended` (0x80094006) while the instance is being restored, and for one of which the restore was
    ///   interrupted.
    package static func open(
        _ directory: String, secrets: SecretInput, surroundings: Surroundings = .system,
        claim: DatabaseClaim = .own, beside other: TokenOpener? = nil
    ) throws -> Instance {
        let layout = InstanceLayout(directory: directory)
        guard !FilePaths.exists(layout.restoreMarkerPath) else { throw ServiceError.restoreInterrupted(directory) }
        if let note = try RestoreSequence.Note.read(layout), note.isWaiting {
            throw ServiceError.restoreIncomplete(directory, note)
        }
        if let retirement = try Retirement.read(layout) { throw ServiceError.retired(directory, retirement) }
        return try self.open(layout, secrets: secrets, surroundings: surroundings, claim: claim, beside: other)
    }

    /// That no other process has the instance open, until this one closes it.
    func excludeOthers() throws { try self.use.excludeOthers(self.layout) }

    /// The same for the one who restores it.
    ///
    /// - Parameters:
    ///   - opener: of another instance of the same CA, where paths of PIN files are looked for then.
    ///   - tokens: take the place of those of the same name in the configuration.
    static func open(
        _ layout: InstanceLayout, secrets: SecretInput, surroundings: Surroundings, claim: DatabaseClaim = .restored,
        sharing opener: TokenOpener? = nil, beside other: TokenOpener? = nil,
        replacing tokens: [String: TokenConfiguration] = [:]
    ) throws -> Instance {
        let directory = layout.directory
        guard FilePaths.exists(layout.configurationPath) else {
            if FilePaths.exists(InstanceLayout(directory: layout.restoreDirectory).restoreMarkerPath) {
                throw ServiceError.restoreInterrupted(directory)
            }
            throw ServiceError.notAnInstance(directory)
        }
        let use = try InstanceUse(sharing: layout)
        var configuration = try layout.configuration()
        for (name, token) in tokens {
            guard configuration.tokens[name] != nil else { throw ServiceError.unknownToken(name) }
            configuration.tokens[name] = token
        }
        try FilePaths.makeDirectory(layout.largeListDirectory)
        let path = configuration.databasePath(in: layout)
        let storage = try SQLiteStorage(path: path)
        try storage.claim(
            claim, path: path, of: layout, isElsewhere: configuration.database != nil, surroundings)
        let fingerprint = try TemplateFiles.fingerprint(layout)
        return Instance(
            directory: directory, configuration: configuration,
            templates: try TemplateFiles.read(from: layout.templatesDirectory), templateFingerprint: fingerprint,
            storage: storage,
            tokens: try opener
                ?? TokenOpener(
                    directory: directory, secrets: secrets,
                    profiles: .standard(instance: directory, environment: ProcessInfo.processInfo.environment),
                    records: .standard(instance: directory, environment: ProcessInfo.processInfo.environment),
                    beside: other),
            surroundings: surroundings, database: storage, use: use)
    }

    /// Ends the use of the database.
    func close() throws {
        try self.database.close()
    }

    /// The same with the templates as they are on disk now.
    ///
    /// - Throws: ``ServiceError`` with file and setting.
    func rereadingTemplates() throws -> Instance {
        let fingerprint = try TemplateFiles.fingerprint(self.layout)
        return Instance(
            directory: self.directory, configuration: self.configuration,
            templates: try TemplateFiles.read(from: self.layout.templatesDirectory), templateFingerprint: fingerprint,
            storage: self.storage,
            tokens: self.tokens, surroundings: self.surroundings, database: self.database, use: self.use)
    }

    /// The same with signet.yaml as it is on disk now, but for the place of its database.
    func rereadingConfiguration() throws -> Instance {
        Instance(
            directory: self.directory, configuration: try self.layout.configuration(), templates: self.templates,
            templateFingerprint: self.templateFingerprint, storage: self.storage, tokens: self.tokens,
            surroundings: self.surroundings, database: self.database, use: self.use)
    }

    /// Where its database is.
    package var databasePath: String { self.configuration.databasePath(in: self.layout) }

    package var layout: InstanceLayout { InstanceLayout(directory: self.directory) }

    /// The own CA certificate first, the root last.
    ///
    /// - Throws: ``ServiceError`` with code `notInstalled` when there is none yet.
    package func authorityCertificates() async throws -> [CertificateFields] {
        let records = try await self.storage.read { try $0.caCertificates() }
        let path = try CACertificateRecord.newestPath(in: records)
        guard !path.isEmpty else { throw ServiceError.notInstalled(self.configuration.name) }
        return try path.map { try CertificateFields(derEncoded: $0.certificateDER) }
    }

    /// The own CA certificates that were renewed since, the youngest first.
    package func formerAuthorityCertificates() async throws -> [(CACertificateRecord, CertificateFields)] {
        let records = try await self.storage.read { try $0.caCertificates() }
        return try records.filter { $0.use == .own }.sorted { $0.index > $1.index }.dropFirst()
            .map { ($0, try CertificateFields(derEncoded: $0.certificateDER)) }
    }

    /// The certificates that link a root's keys.
    package func linkCertificates() async throws -> [(CACertificateRecord, CertificateFields)] {
        try await self.storage.read { try $0.caCertificates() }.filter(\.use.isLink)
            .map { ($0, try CertificateFields(derEncoded: $0.certificateDER)) }
    }

    /// A token of the configuration.
    package func token(named name: String) async throws -> any KeyToken {
        guard let token = self.configuration.tokens[name] else { throw ServiceError.unknownToken(name) }
        return try await self.tokens.open(token)
    }
}

extension InstanceConfiguration {
    func databasePath(in layout: InstanceLayout) -> String {
        self.database.map { FilePaths.resolve($0, in: layout.directory) } ?? layout.databasePath
    }
}

extension Surroundings {
    /// The system's clock and libcrypto's generator.
    package static var system: Surroundings {
        Surroundings(now: { Date() }, randomBytes: { try LibCrypto.randomBytes($0) })
    }
}
