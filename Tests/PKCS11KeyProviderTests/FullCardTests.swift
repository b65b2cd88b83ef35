import DeviceProfiles
import Diagnostics
import KeyProvider
import PKCS11KeyProvider
import TestSupport
import Testing

/// Cards that are full, or that fail in the middle: nothing is left behind.
@Suite struct FullCardTests {
    private let tooMany = "An attempt was made to write more data than would fit in the target object."

    @Test("An RSA-4096 key pair is refused on an 8 KB card before anything is written")
    func refusedBefore() async throws {
        let card = try await SimulatedCard(profile: "generic-8k-smartcard")
        let store = try await card.store(profile: profile("generic-8k-smartcard"))
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.generateKeyPair(
                KeyPairSpecification(
                    algorithm: .rsa(modulusBits: 4096), role: .keyRecoveryAgent, label: "KRA", certificateBytes: 1600))
        }
        #expect(error?.code == .tokenFull)
        #expect(error?.hresult.rawValue == 0x8010_0028)
        #expect(error?.hresult.text == self.tooMany)
        #expect(error?.tokenFailure == nil)
        #expect(try await card.objects().isEmpty)
        await store.close()
    }

    @Test("With unknown capacity the same card fails in the middle, and is as it was")
    func rolledBack() async throws {
        let card = try await SimulatedCard(
            profile: "generic-8k-smartcard", overrides: ["capacity.bytes": "6040"])
        let unknown = try profile("generic-8k-smartcard", overrides: ["capacity.bytes": "unknown"])
        let store = try await card.store(profile: unknown)
        _ = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "there before", certificateBytes: 0))
        let before = try await card.objects()
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.generateKeyPair(
                KeyPairSpecification(
                    algorithm: .rsa(modulusBits: 2048), role: .keyRecoveryAgent, label: "KRA", certificateBytes: 0))
        }
        #expect(error?.code == .tokenFull)
        #expect(error?.hresult.rawValue == 0x8010_0028)
        #expect(error?.tokenFailure?.returnValue == .deviceMemory)
        #expect(error?.tokenFailure?.function == "C_GenerateKeyPair")
        // The card keeps the private half when the pair does not fit: it was found and removed.
        #expect(error?.facts == [Fact("objects removed again", "1")])
        #expect(try await card.objects() == before)
        await store.close()
    }

    @Test(
        "A failure of any call between the first object and the proof leaves nothing",
        arguments: [
            "{function: C_GenerateKeyPair, call: 1, returns: DEVICE_ERROR, after: true}",
            "{function: C_SignInit, call: 1, returns: DEVICE_ERROR}",
            "{function: C_Sign, call: 1, returns: DEVICE_MEMORY}",
            "{function: C_GenerateRandom, call: 2, returns: GENERAL_ERROR}",
            "{function: C_GetAttributeValue, call: 1, returns: DEVICE_ERROR}",
        ])
    func failureAtCall(fault: String) async throws {
        let card = try await SimulatedCard(profile: nil, faults: [fault])
        let store = try await card.store(profile: profile("softhsm2"))
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.generateKeyPair(
                KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
        }
        #expect(error?.code == .tokenCallFailed)
        #expect(error?.facts.contains(Fact("objects removed again", "2")) == true)
        #expect(try await card.objects().isEmpty)
        #expect(try await store.keyPairs().isEmpty)
        await store.close()
    }

    @Test("A roll-back that fails as well says what may remain")
    func rollBackFails() async throws {
        let card = try await SimulatedCard(
            profile: nil,
            faults: [
                "{function: C_Sign, call: 1, returns: DEVICE_ERROR}",
                "{function: C_DestroyObject, call: 1, returns: DEVICE_ERROR}",
                "{function: C_DestroyObject, call: 2, returns: DEVICE_ERROR}",
                "{function: C_DestroyObject, call: 3, returns: DEVICE_ERROR}",
            ])
        let store = try await card.store(profile: profile("softhsm2"))
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.generateKeyPair(
                KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
        }
        #expect(error?.facts.contains { $0.name == "may remain on the token" && $0.value.contains("CKA_ID") } == true)
        #expect(try await card.objects().isEmpty == false)
        // What remains goes before anything new is written.
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "next", certificateBytes: 0))
        #expect(try await store.keyPairs() == [pair])
        #expect(try await store.capacity().objects == 2)
        await store.close()
    }

    @Test("Key generation is never repeated, whatever the token answers")
    func neverRepeated() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_GenerateKeyPair, call: 1, returns: SESSION_HANDLE_INVALID}"])
        let store = try await card.store(profile: profile("softhsm2"))
        await #expect(throws: KeyProviderError.of(.tokenCallFailed)) {
            try await store.generateKeyPair(
                KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
        }
        #expect(try await card.objects().isEmpty)
        await store.close()
    }

    @Test(
        "A signature survives a lost handle and a lost session, as long as a rung of the ladder is left",
        arguments: ["KEY_HANDLE_INVALID", "SESSION_HANDLE_INVALID"])
    func signatureRetried(value: String) async throws {
        // The first signature is the proof of the key.
        let card = try await SimulatedCard(
            profile: nil,
            faults: [
                "{function: C_SignInit, call: 2, returns: \(value)}",
                "{function: C_SignInit, call: 4, returns: \(value)}",
                "{function: C_SignInit, call: 5, returns: \(value)}",
                "{function: C_SignInit, call: 6, returns: \(value)}",
            ])
        let store = try await card.store(profile: profile("softhsm2"))
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
        let signature = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        #expect(
            try await OpenSSL.verify(
                signature, of: [1], hash: "sha256", subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
        await #expect(throws: KeyProviderError.of(.tokenCallFailed)) {
            try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        }
        await store.close()
    }

    @Test("A certificate that cannot be written, or does not read back, leaves the card as it was")
    func certificate() async throws {
        let card = try await SimulatedCard(
            profile: nil,
            faults: [
                "{function: C_CreateObject, call: 1, returns: DEVICE_MEMORY}",
                "{function: C_CreateObject, call: 2, returns: DEVICE_ERROR, after: true}",
            ])
        let store = try await card.store(profile: profile("softhsm2"))
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
        let before = try await card.objects()
        let certificate = try await OpenSSL.certificate(for: pair.subjectPublicKeyInfo)
        await #expect(throws: KeyProviderError.of(.tokenFull)) {
            try await store.storeCertificate(certificate, for: pair.locator, label: "c")
        }
        #expect(try await card.objects() == before)
        await #expect(throws: KeyProviderError.of(.tokenCallFailed)) {
            try await store.storeCertificate(certificate, for: pair.locator, label: "c")
        }
        #expect(try await card.objects() == before)
        try await store.storeCertificate(certificate, for: pair.locator, label: "c")
        #expect(try await store.certificates(for: pair.locator) == [certificate])
        await store.close()
    }

    @Test("A certificate is refused before it is written when the card has no room for it")
    func certificateRefused() async throws {
        let card = try await SimulatedCard(profile: "generic-8k-smartcard")
        let small = try profile("generic-8k-smartcard", overrides: ["capacity.bytes": "4200"])
        let store = try await card.store(profile: small)
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
        let before = try await card.objects()
        let certificate = try await OpenSSL.certificate(for: pair.subjectPublicKeyInfo)
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.storeCertificate(certificate, for: pair.locator, label: "c")
        }
        #expect(error?.code == .tokenFull && error?.tokenFailure == nil)
        #expect(try await card.objects() == before)
        await store.close()
    }
}
