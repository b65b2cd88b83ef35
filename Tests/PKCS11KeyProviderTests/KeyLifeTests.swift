import Diagnostics
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory
import TestSupport
import Testing

/// The same rules on every software token; what differs stands in its profile.
@Suite struct KeyLifeTests {
    @Test(
        "A P-256 signing key is made, proven, found, and its signatures verify", arguments: SoftwareToken.Kind.allCases)
    func signingKey(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "CA key", certificateBytes: 0))
        #expect(pair.label == "CA key")
        #expect(pair.algorithm == .p256)
        #expect(pair.attributes.sensitive == true)
        #expect(pair.attributes.extractable == false)
        #expect(pair.attributes.neverExtractable == true)
        let message = Array("to be signed".utf8)
        for (hash, name) in [(HashAlgorithm.sha256, "sha256"), (.sha384, "sha384"), (.sha1, "sha1")] {
            let signature = try await store.sign(message, with: pair.locator, algorithm: .ecdsa(hash))
            #expect(
                try await OpenSSL.verify(
                    signature, of: message, hash: name, subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
        }
        // A second store, as after a restart, finds the key by its locator alone.
        let second = try await software.store()
        #expect(try await second.keyPair(pair.locator) == pair)
        #expect(try await second.keyPairs() == [pair])
        await #expect(throws: KeyProviderError.of(.unsupported)) {
            try await store.sign(message, with: pair.locator, algorithm: .rsaPKCS1v15(.sha256))
        }
        try await second.removeKeyPair(pair.locator)
        #expect(try await store.capacity().objects == 0)
        // The first store has a handle of a key that is gone.
        await #expect(throws: KeyProviderError.of(.keyNotFound)) {
            try await store.sign(message, with: pair.locator, algorithm: .ecdsa(.sha256))
        }
        await store.close()
        await second.close()
    }

    @Test(
        "An RSA key of a subscriber signs and decrypts by each transport of its profile",
        arguments: SoftwareToken.Kind.allCases)
    func rsaKeys(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(
                algorithm: .rsa(modulusBits: 2048), role: .subscriber, label: "user", certificateBytes: 0))
        let message = Array("to be signed".utf8)
        for (hash, name) in [(HashAlgorithm.sha256, "sha256"), (.sha512, "sha512"), (.sha1, "sha1")] {
            let signature = try await store.sign(message, with: pair.locator, algorithm: .rsaPKCS1v15(hash))
            #expect(
                try await OpenSSL.verify(
                    signature, of: message, hash: name, subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
        }
        let secret = Array("0123456789abcdef".utf8)
        let expected = try SecretBytes(copying: secret)
        let first = try await OpenSSL.encrypt(secret, to: pair.subjectPublicKeyInfo)
        #expect(try await store.decrypt(first, with: pair.locator, transport: .rsaPKCS1v15).matches(expected))
        for hash in store.oaepHashes {
            let name = hash.rawValue.filter { $0 != "-" }.lowercased()
            let ciphertext = try await OpenSSL.encrypt(secret, to: pair.subjectPublicKeyInfo, oaep: name)
            #expect(
                try await store.decrypt(ciphertext, with: pair.locator, transport: .rsaOAEP(hash)).matches(expected))
        }
        let supported = store.oaepHashes
        #expect(supported.count == (kind.isNSS ? 4 : 1))
        for hash in HashAlgorithm.allCases where !supported.contains(hash) {
            await #expect(throws: KeyProviderError.of(.unsupported)) {
                try await store.decrypt(first, with: pair.locator, transport: .rsaOAEP(hash))
            }
        }
        await store.close()
    }

    @Test("The token refuses to sign with an exchange key", arguments: SoftwareToken.Kind.allCases)
    func exchangeKey(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(
                algorithm: .rsa(modulusBits: 2048), role: .exchange, label: "exchange", certificateBytes: 0))
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.sign([1], with: pair.locator, algorithm: .rsaPKCS1v15(.sha256))
        }
        #expect(error?.tokenFailure?.function == "C_SignInit")
        await #expect(throws: KeyProviderError.of(.unsupported)) {
            try await store.generateKeyPair(
                KeyPairSpecification(algorithm: .p256, role: .exchange, label: "x", certificateBytes: 0))
        }
        await store.close()
    }

    @Test("A certificate is written beside its key once, and goes with it", arguments: SoftwareToken.Kind.allCases)
    func certificate(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let specification = KeyPairSpecification(
            algorithm: .p256, role: .caSigning, label: "CA key", certificateBytes: 700)
        let pair = try await store.generateKeyPair(specification)
        let other = try await store.generateKeyPair(specification)
        let certificate = try await OpenSSL.certificate(for: pair.subjectPublicKeyInfo)
        try await store.storeCertificate(certificate, for: pair.locator, label: "CA certificate")
        try await store.storeCertificate(certificate, for: pair.locator, label: "CA certificate")
        #expect(try await store.certificates(for: pair.locator) == [certificate])
        await #expect(throws: KeyProviderError.of(.keyMismatch)) {
            try await store.storeCertificate(certificate, for: other.locator, label: "wrong key")
        }
        try await store.removeKeyPair(pair.locator)
        #expect(try await store.certificates(for: pair.locator).isEmpty)
        #expect(try await store.keyPairs().map(\.locator) == [other.locator])
        await store.close()
    }

    @Test(
        "What a removal that was killed half-way has left is removed by the next one",
        arguments: SoftwareToken.Kind.allCases)
    func halfRemoved(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        // The same application, so that it is logged in.
        let token = try software.open(maximumSessions: 1)
        for algorithm in [KeyAlgorithm.p256, .rsa(modulusBits: 2048)] {
            let specification = KeyPairSpecification(
                algorithm: algorithm, role: .caSigning, label: "k", certificateBytes: 0)
            let (pair, other) = (
                try await store.generateKeyPair(specification), try await store.generateKeyPair(specification)
            )
            var publicKey = AttributeTemplate()
            publicKey[.objectClass] = ObjectClass.publicKey
            publicKey[.id] = try PKCS11URI(pair.locator.reference.uri).id
            let half = publicKey
            try await token.withSession(.readWrite) { session in
                for object in try session.findObjects(half) { try session.destroyObject(object) }
            }
            try await store.removeKeyPair(pair.locator)
            #expect(try await store.keyPairs().map(\.locator) == [other.locator])
            #expect(try await store.capacity().objects == 2)
            await #expect(throws: KeyProviderError.of(.keyNotFound)) { try await store.removeKeyPair(pair.locator) }
            try await store.removeKeyPair(other.locator)
        }
        await token.close()
        await store.close()
    }

    @Test("A key with another public key under the same CKA_ID is not the key meant")
    func mismatch() async throws {
        try await withSoftHSM { software in
            let store = try await software.store()
            let pair = try await store.generateKeyPair(
                KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
            var locator = pair.locator
            locator.publicKeySHA256[0] ^= 1
            let wrong = locator
            await #expect(throws: KeyProviderError.of(.keyMismatch)) {
                try await store.sign([1], with: wrong, algorithm: .ecdsa(.sha256))
            }
            locator.reference = try KeyReference("pkcs11:token=another;id=%01")
            let elsewhere = locator
            await #expect(throws: KeyProviderError.of(.keyNotFound)) { try await store.keyPair(elsewhere) }
            locator.reference = try KeyReference("pkcs11:object=k")
            let vague = locator
            await #expect(throws: KeyProviderError.of(.invalidReference)) { try await store.keyPair(vague) }
            await store.close()
        }
    }

    @Test("Signatures by many callers at once all verify, and random bytes come from the token")
    func concurrent() async throws {
        try await withSoftHSM { software in
            let store = try await software.store()
            let pair = try await store.generateKeyPair(
                KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
            let signatures = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for number in 0..<20 {
                    group.addTask {
                        try await store.sign([UInt8(number)], with: pair.locator, algorithm: .ecdsa(.sha256))
                    }
                }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(signatures.count == 20)
            #expect(try await store.randomBytes(32) != store.randomBytes(32))
            await store.close()
        }
    }
}

extension KeyProviderError {
    /// An error that is equal to any other with this code.
    static func of(_ code: Code) -> KeyProviderError {
        KeyProviderError(code: code, operation: "", reason: "", hresult: .fail, advice: [])
    }
}
