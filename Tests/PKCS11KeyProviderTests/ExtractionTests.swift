import Diagnostics
import KeyProvider
import PKCS11KeyProvider
import TestSupport
import Testing

@Suite("Forbidding extraction")
struct ExtractionTests {
    @Test(
        "An extractable key is wrapped no more once that is forbidden, stays the same key, and may be forbidden again",
        arguments: SoftwareToken.Kind.allCases)
    func forbidden(_ kind: SoftwareToken.Kind) async throws {
        let token = try await SoftwareToken.make(kind)
        let store = try await token.store()
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(
                algorithm: .p256, role: .caSigning, label: "CA key", certificateBytes: 0, mayBeCopied: true))
        let receiver = try await store.generateKeyPair(
            KeyPairSpecification(
                algorithm: .rsa(modulusBits: 2048), role: .exchange, label: "receiver", certificateBytes: 0))
        func wrap() async throws -> WrappedKeyPair {
            try await store.wrappedCopy(
                of: pair.locator, to: receiver.subjectPublicKeyInfo, transport: .rsaOAEP(.sha1))
        }
        #expect(try await !wrap().wrappedPrivateKey.isEmpty)
        for _ in 0..<2 {
            let fixed = try await store.forbidExtraction(of: pair.locator)
            #expect(fixed.locator == pair.locator && fixed.subjectPublicKeyInfo == pair.subjectPublicKeyInfo)
            #expect(fixed.attributes.extractable == false && fixed.attributes.sensitive == true)
            // What was extractable once is never said to have been otherwise.
            #expect(fixed.attributes.neverExtractable != true)
        }
        let refusal = await #expect(throws: KeyProviderError.self) { _ = try await wrap() }
        #expect(refusal?.code == .unsupported && refusal?.hresult == .badKeyState)
        let message = Array("to be signed".utf8)
        let signature = try await store.sign(message, with: pair.locator, algorithm: .ecdsa(.sha256))
        #expect(
            try await OpenSSL.verify(
                signature, of: message, hash: "sha256", subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
        await store.close()
    }
}
