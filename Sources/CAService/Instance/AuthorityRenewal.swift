package import CertificateAuthority
package import Foundation
package import KeyProvider
import PKIMessages

/// Renews the CA certificate, with the same key or a new one.
///
/// A new key is announced in the database before it is generated and forgotten with the certificate's outcome; what a
/// crash leaves is removed from the token at the next renewal. A renewal that fails leaves no key behind.
package struct AuthorityRenewal: Sendable {
    /// How a subordinate CA asks its parent.
    package enum RequestForm: String, Sendable, CaseIterable {
        /// Signed by the key that the certificate is for.
        case pkcs10
        /// The same, signed by the key of the certificate in place as well.
        case pkcs7

        /// Of a PEM file.
        package var label: String { self == .pkcs10 ? "CERTIFICATE REQUEST" : "PKCS7" }
    }

    private let instance: Instance
    private let who: Principal
    /// `nil` for the same key again.
    private let newKeyAlgorithm: KeyAlgorithm?
    private let settings: CACertificateSettings?

    /// - Parameters:
    ///   - newKeyAlgorithm: of the new key; `nil` for the same key again.
    ///   - settings: what the certificate says; `nil` takes over what the one in place says.
    package init(
        _ instance: Instance, newKeyAlgorithm: KeyAlgorithm?, settings: CACertificateSettings?, by who: Principal
    ) {
        self.instance = instance
        self.newKeyAlgorithm = newKeyAlgorithm
        self.settings = settings
        self.who = who
    }

    /// Signs the next certificate of a root with its own key.
    ///
    /// - Parameter validity: in seconds; `nil` for as long as the one in place.
    package func renewRoot(validity: TimeInterval?) async throws -> InstalledCertificate {
        let record = try await self.withSigningKey { key, _ in
            try await CAInstallation.renewRoot(
                signingKey: key, validity: validity, settings: self.settings,
                caName: self.instance.configuration.name, by: self.who, storage: self.instance.storage,
                surroundings: self.instance.surroundings
            ) { try PendingAuthorityKey.clear($0) }
        }
        return try await self.instance.publish(record, by: self.who)
    }

    /// Asks the parent for the next certificate of a subordinate CA.
    ///
    /// - Parameter save: writes the DER request; a failure undoes everything.
    package func requestRenewal(
        form: RequestForm = .pkcs10, save: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws -> [UInt8] {
        try await self.withSigningKey { key, label in
            let records = try await self.instance.storage.read { try $0.caCertificates() }
            let (request, position) = try await CAInstallation.renewalRequest(
                signingKey: key, signedBy: form == .pkcs7 ? self.instance.newestSigningKey(of: records) : nil,
                settings: self.settings, storage: self.instance.storage,
                surroundings: self.instance.surroundings)
            try save(request)
            try await PendingAuthorityKey(label: label, locator: key.locator, isRequested: true, position: position)
                .store(in: self.instance.storage)
            return request
        }
    }

    /// Gives up a request that was never answered, and removes its key when it was made for it.
    ///
    /// - Throws: ``ServiceError`` with code `nothingToInstall` when none waits.
    package static func abandon(in instance: Instance, by who: Principal) async throws {
        try who.mustBeAllowed(.manageCACertificates, to: "give up the renewal of the CA certificate")
        guard let pending = try await PendingAuthorityKey.load(from: instance.storage) else {
            throw ServiceError.nothingToInstall(instance.configuration.name)
        }
        guard pending.index > 0 else { throw ServiceError.firstCertificateAwaited(instance.configuration.name) }
        try await instance.discard(pending, by: who)
    }

    /// - Parameter body: takes the key, and its label when it was made for this renewal.
    private func withSigningKey<R: Sendable>(_ body: (CASigningKey, String?) async throws -> R) async throws -> R {
        try self.who.mustBeAllowed(.manageCACertificates, to: "renew the CA certificate")
        let records = try await self.instance.storage.read { try $0.caCertificates() }
        let position = try CACertificatePosition(following: records, hasNewKey: self.newKeyAlgorithm != nil)
        try await self.settlePending()
        guard let algorithm = self.newKeyAlgorithm else {
            return try await body(self.instance.newestSigningKey(of: records), nil)
        }
        // `Example CA(1)` for the second key, unlike the label of every key before it.
        let label = "\(self.instance.configuration.name)(\(position.keyIndex))"
        let token = try await self.instance.token(named: self.instance.configuration.signingToken)
        var pending = PendingAuthorityKey(label: label, position: position)
        try await pending.store(in: self.instance.storage)
        do {
            let pair = try await token.generateKeyPair(
                KeyPairSpecification(
                    algorithm: algorithm, role: .caSigning, label: label, certificateBytes: 0,
                    mayBeCopied: self.mayBeCopied(after: records, on: token)))
            pending.locator = pair.locator
            try await pending.store(in: self.instance.storage)
            try await self.instance.record(.keyGenerated, by: self.who, details: pair.auditDetails(on: token))
            return try await body(
                CASigningKey(
                    token: token, keyPair: pair, digest: self.instance.configuration.hashAlgorithm), label)
        } catch {
            try await self.instance.discard(pending, by: self.who)
            throw error
        }
    }

    /// As the key in place: who has a backup token wants the next key there, too. An imported key is extractable for the sake
    /// of its file, which the next key has not: that follows only where a backup token has a copy.
    private func mayBeCopied(after records: [CACertificateRecord], on token: any KeyToken) async throws -> Bool {
        guard let newest = records.filter({ $0.use == .own }).max(by: { $0.index < $1.index }),
            let locator = newest.locator
        else { return false }
        let sha256 = Hexadecimal.lower(locator.publicKeySHA256)
        let hasCopy = try await self.instance.storage.read { try $0.setting(Instance.copySetting(sha256)) } != nil
        let wasImported = try await self.instance.wasImported(locator)
        guard hasCopy || !wasImported else { return false }
        // `try?`: the key in place may be on a token of its own, or gone.
        return (try? await token.keyPair(locator))?.attributes.extractable == true
    }

    /// Removes what a crash left; a request that waits for its answer is not given up in silence.
    private func settlePending() async throws {
        guard let pending = try await PendingAuthorityKey.load(from: self.instance.storage) else { return }
        guard !pending.isRequested else { throw ServiceError.renewalPending(self.instance.configuration.name) }
        try await self.instance.discard(pending, by: self.who)
    }
}

extension Instance {
    /// Removes the key that a renewal made and that no certificate has, and forgets the renewal.
    fileprivate func discard(_ pending: PendingAuthorityKey, by who: Principal) async throws {
        if let label = pending.label {
            let own = try await self.storage.read { try $0.caCertificates() }.compactMap(\.locator)
            let token = try await self.token(named: self.configuration.signingToken)
            let pairs = try await token.keyPairs().filter { $0.label == label && !own.contains($0.locator) }
            for pair in pairs {
                // Noted before: what is left of a key whose removal is killed half-way does not tell what it was.
                var noted = pending
                noted.locator = pair.locator
                try await noted.store(in: self.storage)
                try await token.removeKeyPair(pair.locator)
                try await self.record(.keyRemoved, by: who, details: pair.auditDetails(on: token))
            }
            if let noted = pending.locator, !(own + pairs.map(\.locator)).contains(noted) {
                try await self.removeRest(of: noted, on: token, by: who)
            }
        }
        try await PendingAuthorityKey.clear(in: self.storage)
    }

    /// Finishes a removal that was killed half-way.
    private func removeRest(of locator: KeyLocator, on token: any KeyToken, by who: Principal) async throws {
        do {
            try await token.removeKeyPair(locator)
        } catch let error as KeyProviderError where [.keyNotFound, .keyMismatch].contains(error.code) {
            return
        }
        try await self.record(
            .keyRemoved, by: who,
            details: ["Key": locator.reference.uri, "Token": "\(token.identification)"])
    }

    fileprivate func newestSigningKey(of records: [CACertificateRecord]) throws -> CASigningKey {
        guard let newest = records.filter({ $0.use == .own }).max(by: { $0.index < $1.index }) else {
            throw ServiceError.notInstalled(self.configuration.name)
        }
        return try self.signingKeys(of: [newest])[0]
    }
}

extension Instance {
    /// The algorithm of the CA's newest key.
    package func authorityKeyAlgorithm() async throws -> KeyAlgorithm {
        let key = try await self.authorityCertificates()[0].subjectPublicKeyInfo
        if key.isRSA { return .rsa(modulusBits: key.keySizeBits) }
        switch key.keySizeBits {
        case 256: return .p256
        case 384: return .p384
        default: return .p521
        }
    }
}
