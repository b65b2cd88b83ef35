package import CertificateAuthority
import Diagnostics
import KeyProvider
import PKIMessages
package import SecretMemory

/// What became of a CA key that is in a PKCS #12.
package struct KeyFromFile: Sendable {
    package let keyIndex: Int
    package let reference: String
    /// Whether it was brought onto the token now; else it was on a token already.
    package let isNew: Bool
}

extension Instance {
    /// Brings CA keys from a PKCS #12 back onto the token that the CA signs on: those that the tokens of the configuration do
    /// not have any more. Sensitive, not extractable, and proven there. The service must not run. Audit event 10012.
    ///
    /// - Returns: each key of the CA that is in the file.
    /// - Throws: `RequestError` without the role of backup operator; ``ServiceError``: `inUse` while signetd runs, `noOwnKey`
    ///   (0x80094005) when the file has no key of this CA; `PKIMessageError`; what the token throws. Keys before that one stay.
    package func restoreKeys(
        from file: SecretBytes, password: SecretBytes, by who: Principal
    ) async throws -> [KeyFromFile] {
        try who.mustBeAllowed(.restore, to: "restore the CA's keys")
        let service = try InstanceLock(self.layout)
        defer { withExtendedLifetime(service) {} }
        let entries = try PKCS12.openAll(file, password: password).entries
        var done: [KeyFromFile] = []
        let records = try await self.storage.read { try $0.ownCACertificates() }
        for (record, locator) in records.newestOfEachPlacedKey {
            let publicKey = try CertificateFields(derEncoded: record.certificateDER).subjectPublicKeyInfo
            let entry = try entries.first {
                try CertificateFields(derEncoded: $0.certificate).subjectPublicKeyInfo.sha256 == publicKey.sha256
            }
            guard let entry else { continue }
            let present = try await self.keyAtHand(locator)
            let reference =
                if let present { present } else {
                    try await self.restore(entry.privateKey, of: publicKey, keyIndex: record.keyIndex, by: who)
                }
            if reference != locator.reference {
                try await self.storage.write { try $0.setReference(reference, ofKey: locator.publicKeySHA256) }
            }
            done.append(KeyFromFile(keyIndex: record.keyIndex, reference: reference.uri, isNew: present == nil))
        }
        guard !done.isEmpty else { throw ServiceError.noOwnKey(self.configuration.name) }
        return done
    }

    /// Where a key is: under its reference, or under another one on the token that the CA signs on.
    ///
    /// - Throws: what is wrong with a token that cannot be asked: nothing is brought onto another one then.
    private func keyAtHand(_ locator: KeyLocator) async throws -> KeyReference? {
        do {
            return try await self.token(holding: locator).keyPair(locator).locator.reference
        } catch let error as KeyProviderError where [.keyNotFound, .keyMismatch].contains(error.code) {
        } catch let error as ServiceError where error.code == .unknownToken {}
        return try await self.token(named: self.configuration.signingToken).keyPairs()
            .first { $0.locator.publicKeySHA256 == locator.publicKeySHA256 }?.locator.reference
    }

    private func restore(
        _ privateKey: SecretBytes, of publicKey: SubjectPublicKeyInfo, keyIndex: Int, by who: Principal
    ) async throws -> KeyReference {
        let token = try await self.token(named: self.configuration.signingToken)
        let name = self.configuration.name
        let pair = try await SoftwareAuthorityKey(privateKey, of: publicKey).write(
            to: token, label: keyIndex == 0 ? name : "\(name)(\(keyIndex))", isExtractable: false)
        let event = AuditEvent(
            .keyImported, when: self.surroundings.now(), who: who.name, details: pair.importDetails(on: token))
        do {
            try await self.storage.write { db in
                try db.append(event)
                try Instance.noteImport(of: pair.locator, when: event.when, db)
            }
        } catch {
            throw await token.discarding(pair, after: error)
        }
        return pair.locator.reference
    }
}

extension TokenKeyPair {
    /// What the audit trail says of an imported key: also what the token says of its origin, the evidence that it was not made
    /// there.
    func importDetails(on token: any KeyToken) -> [String: String] {
        func text(_ value: Bool?) -> String { value.map { $0 ? "true" : "false" } ?? "unknown" }
        return self.auditDetails(on: token).merging([
            "CKA_LOCAL": text(self.attributes.local),
            "CKA_NEVER_EXTRACTABLE": text(self.attributes.neverExtractable),
            "CKA_ALWAYS_SENSITIVE": text(self.attributes.alwaysSensitive),
            "CKA_EXTRACTABLE": text(self.attributes.extractable),
        ]) { own, _ in own }
    }
}

extension ServiceError {
    fileprivate static func noOwnKey(_ authority: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "noOwnKey"),
            headline: "The PKCS #12 has no key of the CA \"\(authority)\". Nothing was changed.",
            hresult: .invalidCACertificate,
            advice: [
                "Name the file that `signet backup keys --pkcs12` has made of this CA.",
                "A new CA is made of another one's key with `signet init ... --import-pkcs12`.",
            ])
    }
}
