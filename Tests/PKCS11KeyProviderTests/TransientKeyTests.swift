import Diagnostics
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory
import TestSupport
import Testing

/// Archival on the token: the user's private key goes in wrapped and comes out wrapped, and is nowhere else.
@Suite struct TransientKeyTests {
    private struct Rewrapped: Sendable {
        let challenge: [UInt8]
        let wrappedPrivateKey: [UInt8]
        let wrappedSecretKey: [UInt8]
        let attributes: KeyAttributes
        let mechanisms: [String]
    }

    @Test("A private key is unwrapped, proven and wrapped again on the token", arguments: SoftwareToken.Kind.allCases)
    func rewrap(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let transport = KeyTransportAlgorithm.rsaOAEP(.sha1)
        let exchange = try await store.generateKeyPair(
            KeyPairSpecification(
                algorithm: .rsa(modulusBits: 2048), role: .exchange, label: "exchange", certificateBytes: 0))
        let user = try await OpenSSL.rsaKey()
        #expect(store.canRewrapPrivateKey(of: user.subjectPublicKeyInfo))
        let agent = try await OpenSSL.rsaKey()
        let contentKey = [UInt8](0..<32)
        let encryptedKey = try await OpenSSL.encrypt(contentKey, to: exchange.subjectPublicKeyInfo, oaep: "sha1")
        let wrappedUserKey = try await OpenSSL.keyWrap(user.privateKey, under: contentKey)
        let challenge = try await OpenSSL.encrypt(Array("challenge".utf8), to: user.subjectPublicKeyInfo)

        let result = try await store.withTransientKeys { keys in
            let content = try keys.unwrapSecretKey(
                encryptedKey, with: exchange.locator, transport: transport, as: .aes256)
            let userKey = try keys.unwrapPrivateKey(
                wrappedUserKey, with: content, algorithm: .aesKeyWrapPadded, of: user.subjectPublicKeyInfo)
            let opened = try keys.decrypt(challenge, with: userKey, transport: .rsaPKCS1v15)
            let archiveKey = try keys.generateSecretKey(.aes256)
            return Rewrapped(
                challenge: opened,
                wrappedPrivateKey: try keys.wrap(userKey, under: archiveKey, algorithm: .aesKeyWrapPadded),
                wrappedSecretKey: try keys.wrap(archiveKey, to: agent.subjectPublicKeyInfo, transport: transport),
                attributes: try keys.attributes(of: userKey), mechanisms: keys.mechanismsUsed)
        }
        #expect(result.challenge == Array("challenge".utf8))
        #expect(result.attributes.sensitive == true)
        #expect(result.mechanisms.filter { $0 == "CKM_RSA_PKCS_OAEP" }.count == 2)
        #expect(result.mechanisms.contains("CKM_AES_KEY_GEN"))

        let archiveKey = try await OpenSSL.decrypt(result.wrappedSecretKey, with: agent.privateKey, oaep: "sha1")
        let recovered = try await OpenSSL.keyWrap(result.wrappedPrivateKey, under: archiveKey, unwrap: true)
        // A token may pad the PKCS #8 with zeros to a multiple of 8 before it wraps.
        #expect(recovered.starts(with: user.privateKey))
        let tail = recovered.dropFirst(user.privateKey.count)
        #expect(tail.count < 8 && tail.allSatisfy { $0 == 0 })
        #expect(try await store.keyPairs().map(\.locator) == [exchange.locator])
        await store.close()
    }

    @Test(
        "Content is encrypted on the token with a fresh key, and the key wrapped to an agent opens it",
        arguments: SoftwareToken.Kind.allCases)
    func encrypt(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let agent = try await OpenSSL.rsaKey()
        let secret = try SecretBytes(copying: Array("a private key of a user".utf8))
        let vector = [UInt8](repeating: 5, count: 16)
        let (ciphertext, wrapped) = try await store.withTransientKeys { keys in
            let key = try keys.generateSecretKey(.aes256)
            return (
                try keys.encrypt(
                    secret, with: key, cipher: ContentCipher(algorithm: .aes256, initializationVector: vector)),
                try keys.wrap(key, to: agent.subjectPublicKeyInfo, transport: .rsaOAEP(.sha1))
            )
        }
        let key = try await OpenSSL.decrypt(wrapped, with: agent.privateKey, oaep: "sha1")
        let opened = try await run(
            ["openssl", "enc", "-d", "-aes-256-cbc", "-K", key.hex, "-iv", vector.hex], input: ciphertext)
        #expect(opened.text == "a private key of a user")
        await store.close()
    }

    @Test(
        "A wrapped key that does not open is decryptionFailed or a failed call, never a result, and the scope ends clean",
        arguments: SoftwareToken.Kind.allCases)
    func damagedKey(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let exchange = try await store.generateKeyPair(
            KeyPairSpecification(
                algorithm: .rsa(modulusBits: 2048), role: .exchange, label: "exchange", certificateBytes: 0))
        let intact = try await OpenSSL.encrypt([UInt8](0..<32), to: exchange.subjectPublicKeyInfo, oaep: "sha1")
        var damaged = intact
        damaged[100] ^= 1
        let ciphertext = damaged
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.withTransientKeys { keys in
                _ = try keys.unwrapSecretKey(
                    ciphertext, with: exchange.locator, transport: .rsaOAEP(.sha1), as: .aes256)
            }
        }
        #expect(error?.tokenFailure?.function == "C_UnwrapKey")
        // A private key whose wrapping was damaged.
        let junk = [UInt8](repeating: 0xA5, count: 1208)
        await #expect(throws: KeyProviderError.self) {
            try await store.withTransientKeys { keys in
                let key = try keys.unwrapSecretKey(
                    intact, with: exchange.locator, transport: .rsaOAEP(.sha1), as: .aes256)
                _ = try keys.unwrapPrivateKey(
                    junk, with: key, algorithm: .aesKeyWrapPadded, of: exchange.subjectPublicKeyInfo)
            }
        }
        #expect(try await store.randomBytes(4).count == 4)
        await store.close()
    }

    @Test("A device whose profile has no RFC 5649 says that it cannot rewrap")
    func unsupported() async throws {
        let card = try await SimulatedCard(profile: nil)
        let store = try await card.store(profile: profile("generic-8k-smartcard"))
        #expect(try await !store.canRewrapPrivateKey(of: OpenSSL.rsaKey().subjectPublicKeyInfo))
        await #expect(throws: KeyProviderError.of(.unsupported)) {
            try await store.withTransientKeys { keys in
                let key = try keys.generateSecretKey(.aes256)
                _ = try keys.wrap(key, under: key, algorithm: .aesKeyWrapPadded)
            }
        }
        await store.close()
    }
}
