package import CertificateAuthority
package import Foundation
package import KeyProvider
import PKIMessages

/// Makes a new instance: directory, key on the token, certificate or request. When it fails, directory and key are
/// removed again, so that the next attempt begins with nothing.
package struct InstanceCreation: Sendable {
    /// What is to be made.
    package struct Plan: Sendable {
        package var directory: String
        package var configuration: InstanceConfiguration
        /// RFC 4514 text.
        package var subject: String
        /// Of a key that is generated.
        package var keyAlgorithm: KeyAlgorithm
        package var keySource: AuthorityKeySource
        package var policy: AuthorityPolicyFile?
        /// Whether the database is one that is there already: that of the same CA, whose instance was lost.
        package var preservesDatabase = false
        /// Whether a key that is generated or imported is extractable, so that another token may have a copy of it, and of
        /// an imported one a PKCS #12: `signet backup keys`.
        package var keyMayBeCopied = false

        package init(
            directory: String, configuration: InstanceConfiguration, subject: String, keyAlgorithm: KeyAlgorithm,
            keySource: AuthorityKeySource = .generated, policy: AuthorityPolicyFile? = nil
        ) {
            self.directory = directory
            self.configuration = configuration
            self.subject = subject
            self.keyAlgorithm = keyAlgorithm
            self.keySource = keySource
            self.policy = policy
        }
    }

    /// Room that is reserved on the token for a CA certificate, in bytes; the certificate itself is in the database.
    private static let certificateBytes = 0

    private let plan: Plan
    private let secrets: SecretInput
    private let surroundings: Surroundings

    /// - Throws: ``ServiceError`` when the directory exists.
    package init(plan: Plan, secrets: SecretInput, surroundings: Surroundings = .system) throws {
        guard !FilePaths.exists(plan.directory) else {
            throw ServiceError.exists(plan.directory, "The directory")
        }
        if let database = plan.configuration.database {
            let path = FilePaths.resolve(database, in: plan.directory)
            guard FilePaths.exists(path) == plan.preservesDatabase else {
                throw plan.preservesDatabase
                    ? ServiceError.unreadable(path, "there is no database to be preserved")
                    : ServiceError.exists(path, "The database")
            }
        }
        self.plan = plan
        self.secrets = secrets
        self.surroundings = surroundings
    }

    private var settings: CACertificateSettings { self.plan.policy?.policy.settings ?? CACertificateSettings() }

    /// A self-signed root CA, with its certificate published.
    ///
    /// - Parameter validity: what the policy file says when `nil`, and else 20 years.
    package func makeRoot(validity: AuthorityPolicy.Period? = nil) async throws -> InstalledCertificate {
        let validity = validity ?? self.plan.policy?.policy.renewalValidity ?? .init(count: 20, unit: .years)
        let name = try DistinguishedNameText.parse(self.plan.subject)
        return try await self.make(making: { instance, token, pair in
            let record = try await CAInstallation.selfSignedRoot(
                name: name, signingKey: self.signingKey(pair, token),
                validity: validity.seconds(after: self.surroundings.now()), settings: self.settings,
                caName: self.plan.configuration.name,
                storage: instance.storage, surroundings: self.surroundings)
            return try await instance.publish(record, by: .founder(of: instance.directory))
        })
    }

    /// A CA that waits for its certificate.
    ///
    /// - Parameter save: writes the DER PKCS #10; a failure undoes the instance.
    package func makeSubordinate(save: @escaping @Sendable ([UInt8]) throws -> Void) async throws -> [UInt8] {
        let name = try DistinguishedNameText.parse(self.plan.subject)
        return try await self.make(making: { instance, token, pair in
            let key = try self.signingKey(pair, token)
            let request = try await CAInstallation.subordinateRequest(
                name: name, signingKey: key, settings: self.settings, storage: instance.storage,
                surroundings: self.surroundings)
            try await PendingAuthorityKey(
                label: nil, locator: pair.locator, isRequested: true, position: .first
            ).store(in: instance.storage)
            try save(request)
            return request
        })
    }

    /// A CA whose key and certificate are there already, of an instance that was lost or of another program.
    package func adopt(_ certificate: AdoptedCertificate) async throws -> InstalledCertificate {
        try await self.adopt { _, _ in certificate }
    }

    /// The same with the certificate that lies beside the key on its token; of several the newest.
    ///
    /// - Parameter chain: DER of the certificates above it.
    package func adoptFromToken(chain: [[UInt8]]) async throws -> InstalledCertificate {
        try await self.adopt { pair, token in
            let proven = try await AuthorityKeys.prove(pair, on: token, surroundings: self.surroundings)
            return AdoptedCertificate(certificate: try proven.newestAuthorityCertificate(), chain: chain)
        }
    }

    private func adopt(
        _ certificate: @escaping @Sendable (TokenKeyPair, any KeyToken) async throws -> AdoptedCertificate
    ) async throws -> InstalledCertificate {
        try await self.make { instance, token, pair in
            // Before anything is written into a database that may be another CA's.
            _ = try await instance.preservedCertificate(certificate(pair, token), key: pair)
        } making: { instance, token, pair in
            let adopted = try await certificate(pair, token)
            let record: CACertificateRecord
            if let preserved = try await instance.preservedCertificate(adopted, key: pair) {
                record = preserved
            } else {
                record = try await CAInstallation.install(
                    certificate: adopted.certificate, chain: adopted.chain, key: pair, position: adopted.position(),
                    storage: instance.storage, surroundings: self.surroundings)
            }
            let installed = try await instance.publish(record, by: .founder(of: instance.directory))
            if self.plan.preservesDatabase { try await instance.takeDatabaseOver() }
            return installed
        }
    }

    private func signingKey(_ pair: TokenKeyPair, _ token: any KeyToken) throws -> CASigningKey {
        try CASigningKey(token: token, keyPair: pair, digest: self.plan.configuration.hashAlgorithm)
    }

    /// - Parameter check: what has to be right before the key is recorded.
    private func make<R: Sendable>(
        _ check: @Sendable (Instance, any KeyToken, TokenKeyPair) async throws -> Void = { _, _, _ in },
        making body: @escaping @Sendable (Instance, any KeyToken, TokenKeyPair) async throws -> R
    ) async throws -> R {
        let instance = try self.makeDirectory()
        do {
            let token = try await instance.token(named: self.plan.configuration.signingToken)
            let pair = try await self.key(on: token)
            let result: R
            do {
                try await check(instance, token, pair)
                try await self.noteKey(pair, token, in: instance)
                result = try await body(instance, token, pair)
            } catch {
                // A key that was there before is somebody's.
                throw self.isKeyNew ? await token.discarding(pair, after: error) : error
            }
            await instance.tokens.close()
            return result
        } catch {
            await instance.tokens.close()
            try self.remove()
            throw error
        }
    }

    /// What was made goes, a database elsewhere as well; one that was there stays.
    private func remove() throws {
        try FilePaths.removeTree(self.plan.directory)
        guard !self.plan.preservesDatabase, let database = self.plan.configuration.database else { return }
        let path = FilePaths.resolve(database, in: self.plan.directory)
        for file in ["", "-wal", "-shm", "-owners", "-service"].map({ path + $0 }) where FilePaths.exists(file) {
            try FileManager.default.removeItem(atPath: file)
        }
    }

    private var isKeyNew: Bool {
        if case .existing = self.plan.keySource { false } else { true }
    }

    private var keyEvent: AuditEventID {
        switch self.plan.keySource {
        case .generated: .keyGenerated
        case .existing: .configurationChanged
        case .imported: .keyImported
        }
    }

    private func noteKey(_ pair: TokenKeyPair, _ token: any KeyToken, in instance: Instance) async throws {
        let event = try AuditEvent(
            self.keyEvent, when: self.surroundings.now(), who: Principal.founder(of: instance.directory).name,
            details: self.keyDetails(pair, token))
        let isImported = if case .imported = self.plan.keySource { true } else { false }
        try await instance.storage.write { db in
            try db.append(event)
            if isImported { try Instance.noteImport(of: pair.locator, when: event.when, db) }
        }
    }

    private func keyDetails(_ pair: TokenKeyPair, _ token: any KeyToken) -> [String: String] {
        guard case .imported = self.plan.keySource else { return pair.auditDetails(on: token) }
        var details = pair.importDetails(on: token)
        if self.plan.keyMayBeCopied { details["Warning"] = ImportedAuthorityKey.extractableWarning }
        return details
    }

    private func key(on token: any KeyToken) async throws -> TokenKeyPair {
        switch self.plan.keySource {
        case .generated:
            return try await token.generateKeyPair(
                KeyPairSpecification(
                    algorithm: self.plan.keyAlgorithm, role: .caSigning, label: self.plan.configuration.name,
                    certificateBytes: InstanceCreation.certificateBytes, mayBeCopied: self.plan.keyMayBeCopied))
        case .existing(let reference):
            return try await AuthorityKeys.find(reference, on: token, surroundings: self.surroundings).pair
        case .imported(let key):
            return try await key.write(
                to: token, label: self.plan.configuration.name, isExtractable: self.plan.keyMayBeCopied)
        }
    }

    private func makeDirectory() throws -> Instance {
        let layout = InstanceLayout(directory: self.plan.directory)
        do {
            for path in [
                layout.directory, layout.templatesDirectory, layout.publicationDirectory, layout.largeListDirectory,
            ] {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            }
        } catch {
            throw ServiceError.notWritten(layout.directory, error.localizedDescription)
        }
        do {
            try FilePaths.create(
                layout.configurationPath, with: Array(self.plan.configuration.yamlText.utf8), mode: 0o600)
            if self.plan.policy?.policy.loadsDefaultTemplates ?? true {
                try TemplateFiles.writeBuiltIn(layout)
            }
            try self.plan.policy?.store(in: layout)
            return try Instance.open(
                layout.directory, secrets: self.secrets, surroundings: self.surroundings,
                claim: self.plan.preservesDatabase ? .none : .own)
        } catch {
            try self.remove()
            throw error
        }
    }
}

/// A CA certificate that is in place and published.
package struct InstalledCertificate: Sendable {
    package let notAfter: Date
    /// SHA-256, upper-case hexadecimal bytes with colons.
    package let thumbprintText: String
    package let publishedPath: String
}

extension Instance {
    /// Writes a CA certificate to where relying parties get it. Audit event 799.
    func publish(_ record: CACertificateRecord, by who: Principal) async throws -> InstalledCertificate {
        let certificate = try CertificateFields(derEncoded: record.certificateDER)
        let path = try self.publisher.publish(record)
        try await self.record(
            .caCertificatePublished, by: who,
            details: [
                "Certificate Hash": Hexadecimal.lower(certificate.sha1Thumbprint),
                "Valid From": certificate.notBefore.ISO8601Format(),
                "Valid To": certificate.notAfter.ISO8601Format(),
            ])
        return InstalledCertificate(
            notAfter: certificate.notAfter,
            thumbprintText: certificate.sha256Thumbprint.map { Hexadecimal.upper([$0]) }.joined(separator: ":"),
            publishedPath: path)
    }
}
