import Diagnostics
import KeyProvider
import PKCS11KeyProvider
import TestSupport
import Testing

@Suite("Copying a key pair to another token")
struct CopyTests {
    static let pairs: [(SoftwareToken.Kind, SoftwareToken.Kind)] = [
        (.softHSM, .softHSM), (.softHSM, .nss), (.nss, .softHSM), (.nss, .nss), (.simulatedNSS, .simulatedSoftHSM),
        (.simulatedSoftHSM, .simulatedNSS),
    ]
    static let algorithms: [KeyAlgorithm] = [.p256, .p521]

    @Test(
        "A key on a curve goes wrapped from token to token, and its copy signs as it does", arguments: pairs, algorithms
    )
    func copy(_ kinds: (SoftwareToken.Kind, SoftwareToken.Kind), _ algorithm: KeyAlgorithm) async throws {
        let (from, to) = (try await SoftwareToken.make(kinds.0), try await SoftwareToken.make(kinds.1))
        let (source, target) = (try await from.store(), try await to.store())
        let specification = KeyPairSpecification(
            algorithm: algorithm, role: .caSigning, label: "CA key", certificateBytes: 0, mayBeCopied: true)
        let pair = try await source.generateKeyPair(specification)
        let made = try await target.storeCopy(
            KeyPairCopy(specification: specification, subjectPublicKeyInfo: pair.subjectPublicKeyInfo)
        ) { try await source.wrappedCopy(of: pair.locator, to: $0, transport: .rsaOAEP(.sha1)) }
        #expect(made.subjectPublicKeyInfo == pair.subjectPublicKeyInfo && made.algorithm == algorithm)
        #expect(made.attributes.sensitive == true && made.attributes.local != true)
        #expect(try await target.keyPairs() == [made])
        let message = Array("to be signed".utf8)
        let signature = try await target.sign(message, with: made.locator, algorithm: .ecdsa(.sha256))
        #expect(
            try await OpenSSL.verify(
                signature, of: message, hash: "sha256", subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
        await source.close()
        await target.close()
    }
}
