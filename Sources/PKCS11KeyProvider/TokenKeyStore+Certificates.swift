internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11
internal import Synchronization

extension TokenKeyStore {
    /// Remaining capacity by the profile's cost model, and by the token's own word where it can be believed.
    public func capacity() async throws -> TokenCapacity {
        try await self.ledger(operation: "count what is on the token \(self.identification)").summary
    }

    /// Writing a certificate that is there already, byte for byte, changes nothing.
    public func storeCertificate(_ certificateDER: [UInt8], for key: KeyLocator, label: String) async throws {
        let operation = "store the certificate of the key \(key.reference)"
        let fields = try CertificateFields(certificateDER)
        let resolver = try KeyResolver(key, token: self.identification, operation: operation)
        guard
            try TokenKeyStore.publicKeySHA256(fields.subjectPublicKeyInfo, operation: operation) == key.publicKeySHA256
        else { throw KeyProviderError.keyMismatch(resolver.uri, operation: operation, token: self.identification) }
        try await self.gate.exclusively {
            // The key has to be there: no certificate without its key.
            let before = try await self.withKey(key, operation: operation) { session, key in
                try session.certificates(id: key.id)
            }
            guard !before.values.contains(certificateDER) else { return }
            try await self.removeLeftovers()
            try await self.requireRoom(for: .certificate(bytes: certificateDER.count), operation: operation)
            let leftovers = Leftovers.certificates(id: resolver.id, before: Set(before.values))
            do {
                let template = try self.profile.template.applied(
                    to: fields.template(certificateDER, id: resolver.id, label: label), of: .certificate,
                    operation: operation)
                try await self.writeCertificate(
                    template, certificateDER, id: resolver.id, leftovers, operation: operation)
            } catch {
                throw await self.rolledBack(leftovers, after: error, operation: operation)
            }
        }
    }

    private func writeCertificate(
        _ template: AttributeTemplate, _ certificateDER: [UInt8], id: [UInt8], _ leftovers: Leftovers, operation: String
    ) async throws {
        try await self.connection.once(
            .readWrite, isNew: false, limit: nil,
            late: { session in
                // The caller was told that nothing was stored.
                do { _ = try leftovers.remove(session) } catch {
                    self.leftovers.withLock { $0.append(leftovers) }
                }
            }
        ) { session, _ in _ = try session.createObject(template) }
        let stored = try await self.connection.once(.readOnly, isNew: true, limit: nil, late: nil) { session, _ in
            try Array(session.certificates(id: id).values)
        }
        guard stored.contains(certificateDER) else {
            throw KeyProviderError.malformedResult(
                operation: operation, reason: "the token does not give back the certificate that it said it stored")
        }
    }
}

extension Session {
    /// The certificates with this `CKA_ID`, as DER.
    func certificates(id: [UInt8]) throws(PKCS11Error) -> [ObjectHandle: [UInt8]] {
        var found: [ObjectHandle: [UInt8]] = [:]
        for object in try self.find(.certificate, id: id) {
            found[object] = try self.attributes(of: object, .value)[.value] ?? []
        }
        return found
    }
}

extension CertificateFields {
    /// The attributes of an X.509 certificate object (PKCS #11 v2.40, section 4.6.3).
    func template(_ certificateDER: [UInt8], id: [UInt8], label: String) -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.objectClass] = .certificate
        template[.certificateType] = .x509
        template[.token] = true
        template[.isPrivate] = false
        template[.label] = label
        template[.id] = id
        template[.subject] = self.subject
        template[.issuer] = self.issuer
        template[.serialNumber] = self.serialNumber
        template[.value] = certificateDER
        return template
    }
}
