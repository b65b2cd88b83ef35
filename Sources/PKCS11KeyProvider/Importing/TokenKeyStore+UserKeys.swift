internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11
public import SecretMemory
internal import Synchronization

extension TokenKeyStore: UserKeyStoring {
    public func storeUserKey(_ pair: UserKeyPair, privateKey: SecretBytes) async throws -> TokenKeyPair {
        let operation = "put the key \"\(pair.label)\" on the token \(self.identification)"
        let templates = try self.importTemplates(pair, operation: operation)
        return try await self.importing(pair, templates, operation: operation) { session, templates in
            var template = templates.privateKey
            template[.ecParameters] = pair.algorithm.curve?.parametersDER
            try PrivateKeyNumbers.lend(privateKey, of: pair.algorithm, operation: operation) { [template] in
                _ = try session.createObject(template, secrets: $0)
            }
        }
    }

    public func storeWrappedUserKey(
        _ pair: UserKeyPair, wrap: (_ receiver: [UInt8]) async throws -> WrappedKeyPair
    ) async throws -> TokenKeyPair {
        let operation = "unwrap the key \"\(pair.label)\" on the token \(self.identification)"
        let templates = try self.importTemplates(pair, operation: operation)
        guard let mechanism = self.profile.keyWrapPadded else {
            throw KeyProviderError.unsupported(
                operation: operation,
                reason: "the device has no AES key wrap with padding, says \(self.profile.name)",
                advice: "Let the key be written from locked memory instead.")
        }
        return try await self.receiving(pair.label, wrap, operation: operation) { wrapped, resolver in
            try await self.importing(pair, templates, operation: operation) { session, templates in
                try session.unwrap(
                    wrapped, with: resolver.find(session).handle, mechanism, unwrappingKey: templates.unwrappingKey,
                    privateKey: templates.privateKey)
            }
        }
    }

    /// Lets another token wrap to a key pair that is made for that, and removed again.
    func receiving(
        _ label: String, _ wrap: (_ receiver: [UInt8]) async throws -> WrappedKeyPair, operation: String,
        store: (WrappedKeyPair, KeyResolver) async throws -> TokenKeyPair
    ) async throws -> TokenKeyPair {
        try await self.removeReceivers(of: label)
        let receiver = try await self.generateKeyPair(
            KeyPairSpecification(
                algorithm: .rsa(modulusBits: 2048), role: .exchange, label: TokenKeyStore.receiverLabel(label),
                certificateBytes: 0))
        do {
            let wrapped = try await wrap(receiver.subjectPublicKeyInfo)
            try wrapped.transport.require(by: self.profile, operation: operation)
            let resolver = try KeyResolver(receiver.locator, token: self.identification, operation: operation)
            let imported = try await store(wrapped, resolver)
            do { try await self.removeKeyPair(receiver.locator) } catch {
                // The caller is told that nothing was stored: it would be stored once more.
                let stored = try KeyResolver(imported.locator, token: self.identification, operation: operation)
                throw await self.rolledBack(.keyPair(stored), after: error, operation: operation)
            }
            return imported
        } catch {
            do { try await self.removeKeyPair(receiver.locator) } catch let failure {
                guard var known = error as? KeyProviderError else { throw error }
                known.facts.append(Fact("may remain on the token", receiver.locator.reference.uri))
                known.facts.append(Fact("removal", ErrorReport(failure).headline))
                throw known
            }
            throw error
        }
    }

    /// Room, private key by `write`, public key, certificate, proof; or nothing.
    private func importing(
        _ pair: UserKeyPair, _ templates: ImportTemplates, operation: String,
        write: @escaping @Sendable (Session, ImportTemplates) throws -> Void
    ) async throws -> TokenKeyPair {
        try await self.gate.exclusively {
            try await self.removeLeftovers()
            try await self.requireRoom(
                for: .keyPair(
                    KeyPairSpecification(
                        algorithm: pair.algorithm, role: .exchange, label: pair.label,
                        certificateBytes: pair.certificateDER.count)), operation: operation)
            let id = try await self.withSessionRetried(operation: operation) { session, _ in
                try session.randomBytes(20)
            }
            let named = templates.named(id)
            do {
                try await self.connection.once(
                    .readWrite, isNew: false, limit: self.connection.deadlines.generate,
                    late: { session in
                        // The caller was told that nothing was written.
                        do { _ = try Leftovers.everything(id: id).remove(session) } catch {
                            self.leftovers.withLock { $0.append(.everything(id: id)) }
                        }
                    }
                ) { session, _ in
                    try write(session, named)
                    _ = try session.createObject(named.publicKey)
                    _ = try session.createObject(named.certificate)
                }
                return try await self.provenImport(pair, id: id, operation: operation)
            } catch {
                throw await self.rolledBack(.everything(id: id), after: error, operation: operation)
            }
        }
    }

    /// In a new session: what is there only for the session that wrote it must not pass.
    private func provenImport(_ pair: UserKeyPair, id: [UInt8], operation: String) async throws -> TokenKeyPair {
        let proof = KeyProof(role: .exchange, operation: operation, profile: self.profile)
        return try await self.connection.once(.readOnly, isNew: true, limit: nil, late: nil) { session, live in
            let keys = try session.privateKeys(id: id)
            guard let key = keys.first, keys.count == 1, key.subjectPublicKeyInfo == pair.subjectPublicKeyInfo else {
                throw KeyProviderError.notProven(
                    operation: operation, reason: "the token does not show the key pair that it said it stored")
            }
            guard try !session.find(.publicKey, id: id).isEmpty else {
                throw KeyProviderError.notProven(
                    operation: operation, reason: "the token does not show the public key that it said it stored")
            }
            let stored = try self.keyPair(key, session, operation)
            let rules: [(name: String, isMet: Bool)] = [
                ("SENSITIVE", stored.attributes.sensitive == true),
                ("EXTRACTABLE", stored.attributes.extractable == false),
            ]
            let broken = rules.filter { !$0.isMet && !self.profile.ignoresAttribute($0.name) }.map { "CKA_\($0.name)" }
            guard broken.isEmpty else {
                throw KeyProviderError.notProven(
                    operation: operation,
                    reason: "the token says of the private key what must not be: \(broken.joined(separator: ", "))")
            }
            guard try session.certificates(id: id).values.contains(pair.certificateDER) else {
                throw KeyProviderError.malformedResult(
                    operation: operation,
                    reason: "the token does not give back the certificate that it said it stored")
            }
            try proof.prove(key, session)
            live.remember(key, stored.locator)
            return stored
        }
    }
}

extension TokenKeyStore {
    /// - Throws: ``KeyProviderError``: `keyMismatch` for the certificate of another key, `unsupported` for a key that the
    ///   device cannot use.
    private func importTemplates(_ pair: UserKeyPair, operation: String) throws -> ImportTemplates {
        if pair.algorithm.curve != nil, self.profile.mechanisms.ecdh.value != .raw {
            throw KeyProviderError.unsupported(
                operation: operation,
                reason: "the device does not agree on keys, as a key on a curve has to, says \(self.profile.name)",
                advice: "Recover this key into a PKCS #12 file, or set mechanisms.ecdh in the device profile.")
        }
        let specification = KeyPairSpecification(
            algorithm: pair.algorithm, role: .exchange, label: pair.label,
            certificateBytes: pair.certificateDER.count)
        return try ImportTemplates(
            pair, specification,
            numbers: self.publicAttributes(specification, pair.subjectPublicKeyInfo, operation: operation),
            rules: self.profile.template, operation: operation)
    }
}

/// What the objects of a key pair that was made elsewhere are made with.
private struct ImportTemplates: Sendable {
    var privateKey: AttributeTemplate
    var publicKey: AttributeTemplate
    var certificate: AttributeTemplate
    /// For the content-encryption key of a wrapped one.
    let unwrappingKey: AttributeTemplate

    /// - Parameter numbers: of the public key.
    init(
        _ pair: UserKeyPair, _ specification: KeyPairSpecification, numbers: AttributeTemplate,
        rules: DeviceProfile.TemplateRules, operation: String
    ) throws(KeyProviderError) {
        let fields = try CertificateFields(pair.certificateDER)
        guard fields.subjectPublicKeyInfo == pair.subjectPublicKeyInfo else {
            throw KeyProviderError(
                code: .keyMismatch, operation: operation, reason: "the certificate is of another key",
                hresult: .badKey, advice: ["Give the certificate that belongs to the key."])
        }
        let made = try KeyTemplates(specification, id: [], rules: rules, operation: operation)
        self.privateKey = try made.privateKey.unwrapping(
            pair.subjectPublicKeyInfo, pair.algorithm, rules, operation: operation)
        self.privateKey[.objectClass] = .privateKey
        self.privateKey[.keyType] = pair.algorithm.keyType
        self.publicKey = made.publicKey
        self.publicKey[.objectClass] = .publicKey
        self.publicKey[.modulusBits] = nil
        self.publicKey.merge(numbers)
        self.certificate = try rules.applied(
            to: fields.template(pair.certificateDER, id: [], label: pair.label), of: .certificate,
            operation: operation)
        self.unwrappingKey = try TransientTemplates.unwrappedSecretKey(.aes256)
            .inSession(of: .secretKey, rules, operation: operation)
    }

    func named(_ id: [UInt8]) -> ImportTemplates {
        var copy = self
        copy.privateKey[.id] = id
        copy.publicKey[.id] = id
        copy.certificate[.id] = id
        return copy
    }
}

extension Session {
    /// The content-encryption key lives for this call.
    func unwrap(
        _ wrapped: WrappedKeyPair, with receiver: ObjectHandle, _ mechanism: Mechanism,
        unwrappingKey: AttributeTemplate, privateKey: AttributeTemplate
    ) throws {
        let key = try self.unwrapKey(
            wrapped.encryptedKey, with: receiver, wrapped.transport.mechanism, template: unwrappingKey)
        let result = Result {
            try self.unwrapKey(wrapped.wrappedPrivateKey, with: key, mechanism, template: privateKey)
        }
        // Where it cannot be destroyed the session is broken, and closing it takes its objects away.
        let destroyed = Result { try self.destroyObject(key) }
        _ = try result.get()
        try destroyed.get()
    }
}
