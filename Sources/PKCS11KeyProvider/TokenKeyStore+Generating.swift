internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11
internal import Synchronization

extension TokenKeyStore {
    public func generateKeyPair(_ specification: KeyPairSpecification) async throws -> TokenKeyPair {
        let operation = "generate \(specification.algorithm.withArticle) key pair for \(specification.role.rawValue)"
        guard specification.algorithm.isRSA || specification.role.signs else {
            throw KeyProviderError.unsupported(
                operation: operation, reason: "only RSA keys transport keys", advice: "Choose an RSA key for this role."
            )
        }
        try self.profile.require(specification.algorithm, operation: operation)
        return try await self.gate.exclusively {
            try await self.removeLeftovers()
            try await self.requireRoom(for: .keyPair(specification), operation: operation)
            // Chosen before the first object exists, so that everything made under it can be found and removed.
            let id = try await self.withSessionRetried(operation: operation) { session, _ in
                try session.randomBytes(20)
            }
            do {
                return try await self.generateAndProve(specification, id: id, operation: operation)
            } catch {
                throw await self.rolledBack(.everything(id: id), after: error, operation: operation)
            }
        }
    }

    private func generateAndProve(
        _ specification: KeyPairSpecification, id: [UInt8], operation: String
    ) async throws -> TokenKeyPair {
        let templates = try KeyTemplates(
            specification, id: id, rules: self.profile.template, operation: operation)
        // Not through `withSession(operation:)`: the roll-back classifies the token's own error.
        try await self.connection.once(
            .readWrite, isNew: false, limit: self.connection.deadlines.generate,
            late: { session in
                // The caller was told that nothing was made. What cannot be removed now is removed at the next write.
                do { _ = try Leftovers.everything(id: id).remove(session) } catch {
                    self.leftovers.withLock { $0.append(.everything(id: id)) }
                }
            }
        ) { session, _ in
            _ = try session.generateKeyPair(
                templates.mechanism, publicKey: templates.publicKey, privateKey: templates.privateKey)
        }
        return try await self.proven(specification, id: id, isImported: false, operation: operation)
    }

    /// The key pair with this fresh `CKA_ID`, read back and proven by an operation.
    func proven(
        _ specification: KeyPairSpecification, id: [UInt8], isImported: Bool, operation: String
    ) async throws -> TokenKeyPair {
        let proof = KeyProof(
            role: specification.role, operation: operation, profile: self.profile)
        // A new session: what is there only for the session that made it must not pass.
        return try await self.connection.once(.readOnly, isNew: true, limit: nil, late: nil) { session, live in
            let keys = try session.privateKeys(id: id)
            guard let key = keys.first, keys.count == 1, key.algorithm == specification.algorithm else {
                throw KeyProviderError.notProven(
                    operation: operation, reason: "the token does not show the key pair that it said it made")
            }
            let pair = try self.keyPair(key, session, operation)
            try self.judge(
                pair.attributes, mayBeCopied: specification.mayBeCopied, isImported: isImported, operation: operation)
            try proof.prove(key, session)
            live.remember(key, pair.locator)
            return pair
        }
    }

    /// The private key must be sensitive and must never have been, nor become, extractable, unless it was made so that
    /// another token can have a copy; and made here. An imported one has a past, which its attributes may tell. What the
    /// profile knows to be meaningless on this device is not judged.
    private func judge(
        _ attributes: KeyAttributes, mayBeCopied: Bool, isImported: Bool, operation: String
    ) throws(KeyProviderError) {
        let present = [
            ("SENSITIVE", attributes.sensitive == true), ("EXTRACTABLE", attributes.extractable == mayBeCopied),
        ]
        let past = [
            ("ALWAYS_SENSITIVE", attributes.alwaysSensitive != false),
            ("NEVER_EXTRACTABLE", mayBeCopied || attributes.neverExtractable != false),
            ("LOCAL", attributes.local != false),
        ]
        let broken = (isImported ? present : present + past)
            .filter { name, isMet in !isMet && !self.profile.ignoresAttribute(name) }.map { "CKA_\($0.0)" }
        guard broken.isEmpty else {
            throw .notProven(
                operation: operation,
                reason: "the token says of the new private key what must not be: \(broken.joined(separator: ", "))")
        }
    }

    /// A removal that fails half-way is finished on the token that the ladder brings back, or before the next key or
    /// certificate is written.
    public func removeKeyPair(_ key: KeyLocator) async throws {
        let operation = "remove the key \(key.reference)"
        let resolver = try KeyResolver(key, token: self.identification, operation: operation)
        try await self.gate.exclusively {
            self.connection.live.forget(key)
            try await self.removeForGood(.keyPair(resolver), operation: operation)
        }
    }
}

extension Session {
    /// Removes certificates, public keys and private keys with this `CKA_ID`, in this order: what is left when it stops
    /// half-way can be found, and removed again.
    @discardableResult
    func destroyAll(id: [UInt8]) throws(PKCS11Error) -> Int {
        var count = 0
        for objectClass in [ObjectClass.certificate, .publicKey, .privateKey] {
            for object in try self.find(objectClass, id: id) {
                try self.destroyObject(object)
                count += 1
            }
        }
        return count
    }
}

extension KeyAlgorithm {
    /// As a sentence has it: "a p-256", "an rsa-2048", "an ed25519".
    var withArticle: String {
        switch self {
        case .p256, .p384, .p521: "a \(self)"
        case .rsa, .ed25519: "an \(self)"
        }
    }
}
