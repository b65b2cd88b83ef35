import DeviceProfiles
import Diagnostics
import KeyProvider
import PKCS11KeyProvider
import SecretMemory
import TestSupport
import Testing

/// What keys can do beyond the common subset, judged by openssl.
@Suite struct AlgorithmTests {
    @Test("P-521 and P-384 keys sign with each hash", arguments: [KeyAlgorithm.p521, .p384])
    func curves(algorithm: KeyAlgorithm) async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let store = try await software.store()
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: algorithm, role: .caSigning, label: "k", certificateBytes: 0))
        for (hash, name) in [(HashAlgorithm.sha256, "sha256"), (.sha512, "sha512")] {
            let signature = try await store.sign([1, 2], with: pair.locator, algorithm: .ecdsa(hash))
            #expect(
                try await OpenSSL.verify(
                    signature, of: [1, 2], hash: name, subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
        }
        await store.close()
    }

    @Test("An Ed25519 key is made, proven, found again and signs")
    func ed25519() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let store = try await software.store()
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .ed25519, role: .caSigning, label: "k", certificateBytes: 0))
        #expect(pair.algorithm == .ed25519)
        let message = Array("to be signed".utf8)
        let signature = try await store.sign(message, with: pair.locator, algorithm: .ed25519)
        #expect(
            try await OpenSSL.verifyRaw(signature, of: message, subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
        await #expect(throws: KeyProviderError.of(.unsupported)) {
            try await store.sign(message, with: pair.locator, algorithm: .ecdsa(.sha256))
        }
        let second = try await software.store()
        #expect(try await second.keyPairs() == [pair])
        await store.close()
        await second.close()
    }

    @Test("RSA-PSS signatures verify with each hash", arguments: SoftwareToken.Kind.allCases)
    func pss(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(
                algorithm: .rsa(modulusBits: 2048), role: .caSigning, label: "k", certificateBytes: 0))
        for (hash, name) in [(HashAlgorithm.sha256, "sha256"), (.sha384, "sha384"), (.sha512, "sha512")] {
            let signature = try await store.sign([3], with: pair.locator, algorithm: .rsaPSS(hash))
            #expect(
                try await OpenSSL.verify(
                    signature, of: [3], hash: name, subjectPublicKeyInfo: pair.subjectPublicKeyInfo, isPSS: true))
        }
        await store.close()
    }

    @Test("RSA keys below 2048 and above 8192 bits are refused before a call", arguments: [1024, 16384])
    func sizes(bits: Int) async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let store = try await software.store()
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.generateKeyPair(
                KeyPairSpecification(
                    algorithm: .rsa(modulusBits: bits), role: .caSigning, label: "k", certificateBytes: 0))
        }
        #expect(error?.code == .unsupported && error?.tokenFailure == nil)
        await store.close()
    }

    @Test(
        "Secret keys are wrapped with and without padding, and encrypt by GCM, CBC and triple DES",
        arguments: SoftwareToken.Kind.allCases)
    func secretKeys(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let opened = try await store.withTransientKeys { keys -> [[UInt8]] in
            let wrapping = try keys.generateSecretKey(.aes256)
            let key = try keys.generateSecretKey(.aes256)
            var opened: [[UInt8]] = []
            for wrap in [KeyWrapAlgorithm.aesKeyWrap, .aesKeyWrapPadded] {
                let wrapped = try keys.wrap(key, under: wrapping, algorithm: wrap)
                let again = try keys.unwrapSecretKey(wrapped, with: wrapping, algorithm: wrap, as: .aes256)
                for mode in [ContentCipher.Mode.gcm(additionalData: [1, 2, 3]), .cbc] {
                    let vector = [UInt8](repeating: 7, count: mode == .cbc ? 16 : 12)
                    let cipher = ContentCipher(algorithm: .aes256, mode: mode, initializationVector: vector)
                    let ciphertext = try keys.encrypt(SecretBytes(copying: [9, 9, 9]), with: key, cipher: cipher)
                    if mode != .cbc { #expect(ciphertext.count == 19) }
                    opened.append(
                        try keys.decrypt(ciphertext, with: again, cipher: cipher).withUnsafeBytes { Array($0) })
                }
            }
            let des = try keys.generateSecretKey(.tripleDES)
            let cipher = ContentCipher(
                algorithm: .tripleDES, initializationVector: [UInt8](repeating: 1, count: 8))
            let ciphertext = try keys.encrypt(SecretBytes(copying: [9, 9, 9]), with: des, cipher: cipher)
            opened.append(try keys.decrypt(ciphertext, with: des, cipher: cipher).withUnsafeBytes { Array($0) })
            return opened
        }
        #expect(opened == [[UInt8]](repeating: [9, 9, 9], count: 5))
        await store.close()
    }

    @Test("A template has what the profile requires and not what it refuses; an unknown rule is an error")
    func templates() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        func store(_ overrides: [String: String]) async throws -> TokenKeyStore {
            try await TokenKeyStore.open(
                software.configuration(profile: profile("softhsm2", overrides: overrides)), modules: ModuleRegistry(),
                pin: CountedPIN(software.userPIN).source)
        }
        let specification = KeyPairSpecification(
            algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0)
        let strict = try await store([
            "template.require": "[PRIVATE_KEY.MODIFIABLE=FALSE, DERIVE, KEY_TYPE]", "template.refuse": "[EXTRACTABLE]",
        ])
        let pair = try await strict.generateKeyPair(specification)
        #expect(pair.attributes.extractable == false)
        await strict.close()
        let odd = try await store(["template.require": "[COLOUR=BLUE]"])
        await #expect(throws: KeyProviderError.of(.unsupported)) { try await odd.generateKeyPair(specification) }
        await odd.close()
        let none = try await store(["mechanisms.ecdsa": "none"])
        await #expect(throws: KeyProviderError.of(.unsupported)) { try await none.generateKeyPair(specification) }
        await none.close()
    }
}
