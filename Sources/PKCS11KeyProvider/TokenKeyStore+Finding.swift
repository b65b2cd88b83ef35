internal import Diagnostics
public import KeyProvider
internal import PKCS11

extension TokenKeyStore {
    public func keyPairs() async throws -> [TokenKeyPair] {
        let operation = "list the keys of the token \(self.identification)"
        return try await self.withSessionRetried(operation: operation) { session, live in
            let keys = try session.privateKeys(id: nil)
            if keys.isEmpty { try live.requireLogin(session) }
            return try keys.map { try self.keyPair($0, session, operation) }
        }
    }

    public func keyPair(_ locator: KeyLocator) async throws -> TokenKeyPair {
        let operation = "find the key \(locator.reference)"
        return try await self.withKey(locator, operation: operation) { session, key in
            try self.keyPair(key, session, operation)
        }
    }

    public func certificates(for key: KeyLocator) async throws -> [[UInt8]] {
        let operation = "read the certificates of the key \(key.reference)"
        let id = try KeyResolver(key, token: self.identification, operation: operation).id
        return try await self.withSessionRetried(operation: operation) { session, _ in
            try session.find(.certificate, id: id).compactMap { try session.attributes(of: $0, .value)[.value] }
        }
    }

    public func randomBytes(_ count: Int) async throws -> [UInt8] {
        let operation = "get random bytes from the token \(self.identification)"
        return try await self.withSessionRetried(operation: operation) { session, _ in try session.randomBytes(count) }
    }

    /// Runs `body` with the key's handle: the cached one, or one found now and compared with the locator. A handle is
    /// forgotten with every failure.
    nonisolated(nonsending) func withKey<R: Sendable>(
        _ locator: KeyLocator, operation: @autoclosure @escaping @Sendable () -> String,
        after first: TokenConnection.Failure? = nil,
        _ body: @escaping @Sendable (Session, PrivateKeyObject) throws -> R
    ) async throws -> R {
        try await self.withSessionRetried(operation: operation(), forget: locator, after: first) { session, live in
            // The reference is read only when there is no handle yet.
            if let cached = live.cached(locator) { return try body(session, cached) }
            let resolver = try KeyResolver(locator, token: live.token.identification, operation: operation())
            return try body(session, live.resolve(resolver, session))
        }
    }

    func keyPair(_ key: PrivateKeyObject, _ session: Session, _ operation: String) throws -> TokenKeyPair {
        TokenKeyPair(
            locator: try self.locator(of: key, operation: operation), subjectPublicKeyInfo: key.subjectPublicKeyInfo,
            algorithm: key.algorithm, label: try session.attributes(of: key.handle, .label)[.label] ?? "",
            attributes: try session.keyAttributes(of: key.handle))
    }

    /// Token label, serial number, `CKA_ID` and class, and the hash of the public key.
    private func locator(of key: PrivateKeyObject, operation: String) throws -> KeyLocator {
        var uri = PKCS11URI()
        uri.token = self.identification.label
        uri.serial = self.identification.serialNumber
        uri.id = key.id
        uri.type = .privateKey
        return KeyLocator(
            reference: try KeyReference(uri.description),
            publicKeySHA256: try TokenKeyStore.publicKeySHA256(key.subjectPublicKeyInfo, operation: operation))
    }

    static func publicKeySHA256(
        _ subjectPublicKeyInfo: [UInt8], operation: String
    ) throws(KeyProviderError) -> [UInt8] {
        try self.hash(subjectPublicKeyInfo, .sha256, operation: operation)
    }

    static func hash(
        _ message: [UInt8], _ algorithm: HashAlgorithm, operation: @autoclosure () -> String
    ) throws(KeyProviderError) -> [UInt8] {
        guard let digest = Digest.hash(message, algorithm) else {
            throw .unsupported(
                operation: operation(), reason: "OpenSSL on this machine refuses \(algorithm.rawValue)",
                advice: "Choose a hash that the OpenSSL configuration of this machine allows.")
        }
        return digest
    }
}
