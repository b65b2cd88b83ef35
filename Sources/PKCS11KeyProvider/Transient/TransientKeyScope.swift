internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11
internal import SecretMemory

extension TokenKeyStore {
    public func canRewrapPrivateKey(of subjectPublicKeyInfo: [UInt8]) -> Bool {
        guard self.profile.wrapsPrivateKeysPadded else { return false }
        return switch SubjectPublicKeyInfo.algorithm(of: subjectPublicKeyInfo) {
        case .rsa?: true
        case .p256?, .p384?, .p521?: self.profile.mechanisms.ecdh.value == .raw
        case .ed25519?, nil: false
        }
    }

    public func withTransientKeys<R: Sendable>(
        _ body: @escaping @Sendable (any TransientKeyOperations) throws -> R
    ) async throws -> R {
        let operation = "work with keys on the token \(self.identification)"
        return try await self.translating(operation) {
            try await self.connection.once(
                .readOnly, isNew: false, limit: self.connection.deadlines.use * 10,
                late: nil
            ) { session, live in
                let scope = TransientKeyScope(store: self, session: session, live: live)
                let result = Result { try body(scope) }
                // The failure of a call inside is seen by the connection as it was.
                if let failure = scope.failure { self.connection.failed(failure, live) }
                try scope.destroyAll(after: result)
                return try result.get()
            }
        }
    }
}

/// Session objects of one session (`CKA_TOKEN` false), destroyed at the end of the scope.
final class TransientKeyScope: TransientKeyOperations {
    private let store: TokenKeyStore
    private let session: Session
    private let live: LiveToken
    /// The last call that failed.
    private(set) var failure: (any Error)?
    private var keys: [ObjectHandle] = []
    private(set) var mechanismsUsed: [String] = []

    init(store: TokenKeyStore, session: Session, live: LiveToken) {
        self.live = live
        self.store = store
        self.session = session
    }

    /// Destroys the keys of the scope. A failure counts only after a success: otherwise the first error is the one to
    /// tell. In both cases the session is broken then, and closing it takes its objects away.
    func destroyAll<R>(after result: Result<R, any Error>) throws {
        do {
            for key in self.keys { try self.session.destroyObject(key) }
        } catch {
            if case .success = result { throw error }
        }
        self.keys = []
    }

    func unwrapSecretKey(
        _ wrappedKey: [UInt8], with key: KeyLocator, transport: KeyTransportAlgorithm, as algorithm: SecretKeyAlgorithm
    ) throws -> TransientKey {
        let operation = "unwrap a secret key with the key \(key.reference)"
        try transport.require(by: self.store.profile, operation: operation)
        let resolver = try KeyResolver(key, token: self.store.identification, operation: operation)
        let template = try TransientTemplates.unwrappedSecretKey(algorithm)
            .inSession(of: .secretKey, self.store.profile.template, operation: operation)
        let mechanism = self.used(transport.mechanism)
        return try self.translating(operation) {
            let unwrapped = try self.withPrivateKey(resolver) { privateKey in
                try self.session.unwrapKey(wrappedKey, with: privateKey.handle, mechanism, template: template)
            }
            let result = self.kept(unwrapped)
            // The transport hides the length of the key: what came out must be what was meant to go in. Some tokens
            // do not tell, or say 0 of every key that was unwrapped.
            let length = try self.session.attributes(of: unwrapped, .valueLength)[.valueLength] ?? 0
            guard length == 0 || length == UInt(algorithm.keyBytes) else {
                throw KeyProviderError.wrongKeyLength(operation: operation)
            }
            return result
        }
    }

    func unwrapPrivateKey(
        _ wrappedKey: [UInt8], with key: TransientKey, algorithm: KeyWrapAlgorithm, of subjectPublicKeyInfo: [UInt8]
    ) throws -> TransientKey {
        let operation = "unwrap a private key on the token"
        let rules = self.store.profile.template
        guard let keyAlgorithm = SubjectPublicKeyInfo.algorithm(of: subjectPublicKeyInfo) else {
            throw KeyProviderError.invalidPublicKey(
                operation: operation, expected: "an RSA key, or one on P-256, P-384 or P-521")
        }
        let mechanism = try self.mechanism(algorithm, operation)
        let template = try TransientTemplates.unwrappedPrivateKey(keyAlgorithm)
            .inSession(of: .privateKey, rules, operation: operation)
            .unwrapping(subjectPublicKeyInfo, keyAlgorithm, rules, operation: operation)
        return try self.translating(operation) {
            self.kept(
                try self.session.unwrapKey(
                    wrappedKey, with: self.handle(key), self.used(mechanism), template: template))
        }
    }

    func deriveSecretKey(from key: TransientKey, with point: [UInt8]) throws -> TransientKey {
        let operation = "agree on a key with an unwrapped private key"
        return try self.translating(operation) {
            self.kept(
                try self.session.deriveKey(
                    from: self.handle(key), self.used(.ecdh(point: point)),
                    template: TransientTemplates.derivedSecretKey()
                        .inSession(of: .secretKey, self.store.profile.template, operation: operation)))
        }
    }

    func generateSecretKey(_ algorithm: SecretKeyAlgorithm) throws -> TransientKey {
        let operation = "generate a secret key on the token"
        return try self.translating(operation) {
            self.kept(
                try self.session.generateKey(
                    self.used(algorithm.generation),
                    template: TransientTemplates.generatedSecretKey(algorithm)
                        .inSession(of: .secretKey, self.store.profile.template, operation: operation)))
        }
    }

    func wrap(
        _ key: TransientKey, under wrappingKey: TransientKey, algorithm: KeyWrapAlgorithm
    ) throws -> [UInt8] {
        let operation = "wrap a key on the token"
        let mechanism = try self.mechanism(algorithm, operation)
        return try self.translating(operation) {
            try self.session.wrapKey(self.handle(key), under: self.handle(wrappingKey), self.used(mechanism))
        }
    }

    func wrap(
        _ key: KeyLocator, under wrappingKey: TransientKey, algorithm: KeyWrapAlgorithm
    ) throws -> [UInt8] {
        let operation = "wrap the key \(key.reference)"
        let mechanism = try self.mechanism(algorithm, operation)
        let resolver = try KeyResolver(key, token: self.store.identification, operation: operation)
        return try self.translating(operation) {
            try self.withPrivateKey(resolver) { privateKey in
                // NSS softokn wraps it all the same.
                guard try self.session.keyAttributes(of: privateKey.handle).extractable != false else {
                    throw KeyProviderError.nonExtractable(key.reference, operation: operation)
                }
                return try self.session.wrapKey(
                    privateKey.handle, under: self.handle(wrappingKey), self.used(mechanism))
            }
        }
    }

    func wrap(
        _ key: TransientKey, to subjectPublicKeyInfo: [UInt8], transport: KeyTransportAlgorithm
    ) throws -> [UInt8] {
        let operation = "wrap a secret key to a public key on the token"
        try transport.require(by: self.store.profile, operation: operation)
        let components = try SubjectPublicKeyInfo.rsaComponents(subjectPublicKeyInfo, operation: operation)
        return try self.translating(operation) {
            let publicKey = self.kept(
                try self.session.createObject(
                    TransientTemplates.recipient(components.modulus, components.publicExponent)
                        .inSession(of: .publicKey, self.store.profile.template, operation: operation)))
            return try self.session.wrapKey(
                self.handle(key), under: self.handle(publicKey), self.used(transport.mechanism))
        }
    }

    func decrypt(
        _ ciphertext: [UInt8], with key: TransientKey, transport: KeyTransportAlgorithm
    ) throws -> [UInt8] {
        let operation = "decrypt with an unwrapped private key"
        try transport.require(by: self.store.profile, operation: operation)
        return try self.translating(operation) {
            var plaintext = [UInt8](repeating: 0, count: max(512, ciphertext.count))
            defer { SecretBytes.wipe(&plaintext) }
            let count = try plaintext.withUnsafeMutableBytes {
                try self.session.decrypt(ciphertext, with: self.handle(key), self.used(transport.mechanism), into: $0)
            }
            return Array(plaintext.prefix(count))
        }
    }

    func encrypt(_ plaintext: SecretBytes, with key: TransientKey, cipher: ContentCipher) throws -> [UInt8] {
        try cipher.require(by: self.store.profile, operation: "encrypt on the token")
        return try self.translating("encrypt on the token") {
            try plaintext.withUnsafeBytes {
                try self.session.encrypt($0, with: self.handle(key), self.used(cipher.mechanism))
            }
        }
    }

    func decrypt(_ ciphertext: [UInt8], with key: TransientKey, cipher: ContentCipher) throws -> SecretBytes {
        try cipher.require(by: self.store.profile, operation: "decrypt on the token")
        return try self.translating("decrypt on the token") {
            try SecretBytes(capacity: max(64, ciphertext.count)) { buffer in
                try self.session.decrypt(ciphertext, with: self.handle(key), self.used(cipher.mechanism), into: buffer)
            }
        }
    }

    func unwrapSecretKey(
        _ wrappedKey: [UInt8], with key: TransientKey, algorithm: KeyWrapAlgorithm, as secret: SecretKeyAlgorithm
    ) throws -> TransientKey {
        let operation = "unwrap a secret key with a secret key"
        let mechanism = try self.mechanism(algorithm, operation)
        return try self.translating(operation) {
            var template = try TransientTemplates.generatedSecretKey(secret)
                .inSession(of: .secretKey, self.store.profile.template, operation: operation)
            // The wrapped key tells its length; some devices want to be told as well.
            if self.store.profile.template.unwrapRequire.value?.contains("VALUE_LEN") != true {
                template[.valueLength] = nil
            }
            template[.decrypt] = true
            return self.kept(
                try self.session.unwrapKey(wrappedKey, with: self.handle(key), self.used(mechanism), template: template)
            )
        }
    }

    func attributes(of key: TransientKey) throws -> KeyAttributes {
        try self.translating("read the attributes of a key of the scope") {
            try self.session.keyAttributes(of: self.handle(key))
        }
    }

    /// The private key by its cached handle; found once again when the token does not know the handle, which says so
    /// before it unwraps anything.
    private func withPrivateKey<R>(
        _ resolver: KeyResolver, _ body: (PrivateKeyObject) throws -> R
    ) throws -> R {
        let stale: Set<ReturnValue> = [.keyHandleInvalid, .objectHandleInvalid, .unwrappingKeyHandleInvalid]
        do {
            return try body(self.live.resolve(resolver, self.session))
        } catch let error as PKCS11Error where stale.contains(error.returnValue) {
            self.live.forget(resolver.locator)
            return try body(self.live.resolve(resolver, self.session))
        }
    }

    private func mechanism(_ algorithm: KeyWrapAlgorithm, _ operation: String) throws(KeyProviderError) -> Mechanism {
        if algorithm == .aesKeyWrap { return Mechanism(.aesKeyWrap) }
        guard let mechanism = self.store.profile.keyWrapPadded else {
            throw .unsupported(
                operation: operation,
                reason: "the device has no AES key wrap with padding, says \(self.store.profile.name)",
                advice: "Use the archive record format cms-aes on this device.")
        }
        return mechanism
    }

    private func handle(_ key: TransientKey) -> ObjectHandle { ObjectHandle(rawValue: key.identifier) }

    private func kept(_ handle: ObjectHandle) -> TransientKey {
        self.keys.append(handle)
        return TransientKey(identifier: handle.rawValue)
    }

    private func used(_ mechanism: Mechanism) -> Mechanism {
        self.mechanismsUsed.append(mechanism.type.description)
        return mechanism
    }

    private func translating<R>(_ operation: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch {
            self.failure = error
            throw KeyProviderError.of(error, operation: operation, profile: self.store.profile)
        }
    }
}
