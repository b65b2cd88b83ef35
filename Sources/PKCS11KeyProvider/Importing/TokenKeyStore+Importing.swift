internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11
internal import SecretMemory
internal import Synchronization

extension TokenKeyStore: KeyImporting {
    public func importKeyPair(_ imported: KeyPairImport) async throws -> TokenKeyPair {
        let specification = imported.specification
        let operation = "import \(specification.algorithm.withArticle) key pair for \(specification.role.rawValue)"
        guard specification.algorithm != .ed25519 else {
            throw KeyProviderError.unsupported(
                operation: operation, reason: "Ed25519 keys are not imported",
                advice: "Import an RSA key, or one on P-256, P-384 or P-521.")
        }
        let wrapping = self.profile.wrapsPrivateKeysPadded ? self.profile.keyWrapPadded : nil
        let rules = self.profile.template
        return try await self.adopting(
            specification, imported.subjectPublicKeyInfo, operation: operation
        ) { session, privateKey in
            if let wrapping {
                let template = try privateKey.unwrapping(
                    imported.subjectPublicKeyInfo, specification.algorithm, rules, operation: operation)
                try WrappedImport(mechanism: wrapping, rules: rules, operation: operation)
                    .unwrap(imported.privateKey, template: template, in: session)
            } else {
                var privateKey = privateKey
                privateKey[.ecParameters] = specification.algorithm.curve?.parametersDER
                try PrivateKeyNumbers.lend(imported.privateKey, of: specification.algorithm, operation: operation) {
                    _ = try session.createObject(privateKey, secrets: $0)
                }
            }
        }
    }

    /// Puts a key pair on the token that was made elsewhere; or nothing.
    ///
    /// - Parameter write: makes the private key with this template.
    func adopting(
        _ specification: KeyPairSpecification, _ subjectPublicKeyInfo: [UInt8], operation: String,
        write: @escaping @Sendable (Session, AttributeTemplate) throws -> Void
    ) async throws -> TokenKeyPair {
        try self.profile.require(specification.algorithm, operation: operation)
        let publicKey = try self.publicAttributes(specification, subjectPublicKeyInfo, operation: operation)
        let publicKeySHA256 = try TokenKeyStore.publicKeySHA256(subjectPublicKeyInfo, operation: operation)
        return try await self.gate.exclusively {
            try await self.removeLeftovers()
            try await self.requireRoom(for: .keyPair(specification), operation: operation)
            let id = try await self.withSessionRetried(operation: operation) { session, _ in
                try session.randomBytes(20)
            }
            do {
                try await self.write(specification, publicKey: publicKey, id: id, operation: operation, write)
                let pair = try await self.proven(specification, id: id, isImported: true, operation: operation)
                guard pair.locator.publicKeySHA256 == publicKeySHA256 else {
                    throw KeyProviderError.notProven(
                        operation: operation, reason: "the key on the token is another one than was imported")
                }
                return pair
            } catch {
                throw await self.rolledBack(.everything(id: id), after: error, operation: operation)
            }
        }
    }

    private func write(
        _ specification: KeyPairSpecification, publicKey numbers: AttributeTemplate, id: [UInt8], operation: String,
        _ writePrivateKey: @escaping @Sendable (Session, AttributeTemplate) throws -> Void
    ) async throws {
        let templates = try KeyTemplates(specification, id: id, rules: self.profile.template, operation: operation)
        var publicKey = templates.publicKey
        publicKey[.modulusBits] = nil
        publicKey.merge(numbers)
        publicKey[.objectClass] = .publicKey
        var privateKey = templates.privateKey
        privateKey[.objectClass] = .privateKey
        privateKey[.keyType] = specification.algorithm.keyType
        try await self.connection.once(
            .readWrite, isNew: true, limit: self.connection.deadlines.generate,
            late: { session in
                // The caller was told that nothing was imported.
                do { _ = try Leftovers.everything(id: id).remove(session) } catch {
                    self.leftovers.withLock { $0.append(.everything(id: id)) }
                }
            }
        ) { [publicKey, privateKey] session, _ in
            try session.removeLonelyPublicKeys(like: publicKey)
            _ = try session.createObject(publicKey)
            // The private half last: whoever is killed between leaves no half key that is taken for a whole one.
            try writePrivateKey(session, privateKey)
        }
    }

    /// The numbers of the public key object.
    func publicAttributes(
        _ specification: KeyPairSpecification, _ subjectPublicKeyInfo: [UInt8], operation: String
    ) throws -> AttributeTemplate {
        var attributes = AttributeTemplate()
        attributes[.keyType] = specification.algorithm.keyType
        guard let curve = specification.algorithm.curve else {
            let numbers = try SubjectPublicKeyInfo.rsaComponents(subjectPublicKeyInfo, operation: operation)
            attributes[.modulus] = numbers.modulus
            attributes[.publicExponent] = numbers.publicExponent
            return attributes
        }
        let point = try SubjectPublicKeyInfo.point(subjectPublicKeyInfo, on: curve, operation: operation)
        attributes[.ecParameters] = curve.parametersDER
        attributes[.ecPoint] = self.profile.template.ecPoint.value == .raw ? point : DERWriter.octetString(point)
        return attributes
    }
}

extension Session {
    /// Removes public keys of the same label and numbers that have no private key: what a process left that was killed while
    /// it brought the pair onto the token.
    fileprivate func removeLonelyPublicKeys(like publicKey: AttributeTemplate) throws(PKCS11Error) {
        var template = publicKey
        template[.id] = nil
        for object in try self.findObjects(template) {
            guard let id = try self.attributes(of: object, .id)[.id], try self.find(.privateKey, id: id).isEmpty else {
                continue
            }
            try self.destroyObject(object)
        }
    }
}
