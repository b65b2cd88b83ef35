import DeviceProfiles
import Diagnostics
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory
import TestSupport
import Testing

@Suite("Putting a user's key on a curve on a token")
struct UserKeyTests {
    /// A key pair that openssl made, with a certificate.
    private struct Made {
        let pair: UserKeyPair
        let privateKey: SecretBytes

        init(_ algorithm: KeyAlgorithm = .p256) async throws {
            let curves: [KeyAlgorithm: String] = [.p256: "P-256", .p384: "P-384", .p521: "P-521"]
            let curve = try #require(curves[algorithm])
            let pem = try await OpenSSL.output(
                ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(curve)"])
            let directory = try TemporaryDirectory()
            let file = try directory.write("key.pem", pem)
            self.privateKey = try await SecretBytes(
                copying: OpenSSL.output(
                    ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", file, "-outform", "DER"]))
            self.pair = UserKeyPair(
                subjectPublicKeyInfo: try await OpenSSL.output(
                    ["openssl", "pkey", "-in", file, "-pubout", "-outform", "DER"]),
                algorithm: algorithm, label: "alice",
                certificateDER: try await OpenSSL.output(
                    ["openssl", "req", "-x509", "-key", file, "-subj", "/CN=alice", "-outform", "DER"]))
        }
    }

    static let tokens: [(SoftwareToken.Kind, KeyAlgorithm)] = [
        (.softHSM, .p256), (.softHSM, .p384), (.softHSM, .p521), (.nss, .p256), (.nss, .p384), (.nss, .p521),
        (.simulatedSoftHSM, .p256), (.simulatedNSS, .p256),
    ]

    @Test("It is stored with its certificate, cannot be taken off, and is proven by an agreement", arguments: tokens)
    func stored(_ kind: SoftwareToken.Kind, _ algorithm: KeyAlgorithm) async throws {
        let made = try await Made(algorithm)
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        let stored = try await store.storeUserKey(made.pair, privateKey: made.privateKey)
        #expect(stored.subjectPublicKeyInfo == made.pair.subjectPublicKeyInfo && stored.algorithm == algorithm)
        #expect(stored.attributes.sensitive == true && stored.attributes.extractable == false)
        #expect(try await store.keyPairs() == [stored])
        #expect(try await store.certificates(for: stored.locator) == [made.pair.certificateDER])
        // It is not for signatures.
        await #expect(throws: KeyProviderError.self) {
            try await store.sign([1], with: stored.locator, algorithm: .ecdsa(.sha256))
        }
        await store.close()
    }

    @Test("pkcs11-tool agrees with the stored key on what openssl agrees on with the private key")
    func usedByOthers() async throws {
        let made = try await Made()
        let software = try await SoftwareToken.make(.softHSM)
        let store = try await software.store()
        let stored = try await store.storeUserKey(made.pair, privateKey: made.privateKey)
        await store.close()
        let directory = try TemporaryDirectory()
        let peer = try await Made()
        let publicKey = try directory.write("peer.der", peer.pair.subjectPublicKeyInfo)
        let mine = try directory.write("mine.der", made.privateKey.withUnsafeBytes { Array($0) })
        let expected = try await OpenSSL.output([
            "openssl", "pkeyutl", "-derive", "-inkey", mine, "-keyform", "DER", "-peerkey", publicKey, "-peerform",
            "DER",
        ])
        let id = try #require(try PKCS11URI(stored.locator.reference.uri).id)
        let derived = try await run(
            [
                "pkcs11-tool", "--module", software.modulePath, "--token-label", software.label, "--login", "--pin",
                software.userPIN, "--derive", "-m", "ECDH1-DERIVE", "--id", id.hex, "--input-file", publicKey,
                "--output-file", directory.path("secret"),
            ], environment: software.environment)
        #expect(derived.status == 0, "\(derived.stderr)")
        #expect(try directory.read("secret") == expected)
    }

    @Test(
        "A private key of another pair is not left on the token",
        arguments: [SoftwareToken.Kind.softHSM, .nss])
    func otherKey(_ kind: SoftwareToken.Kind) async throws {
        let (made, other) = (try await Made(), try await Made())
        let software = try await SoftwareToken.make(kind)
        let store = try await software.store()
        await #expect(throws: KeyProviderError.self) {
            try await store.storeUserKey(made.pair, privateKey: other.privateKey)
        }
        #expect(try await store.keyPairs().isEmpty)
        #expect(try await store.capacity().objects == 0)
        await store.close()
    }

    @Test("A device of which the profile does not say that it agrees on keys is named, and nothing is written")
    func withoutAgreement() async throws {
        let made = try await Made()
        let card = try await SimulatedCard(profile: "generic-32k-smartcard")
        let store = try await card.store(profile: profile("generic-32k-smartcard"))
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.storeUserKey(made.pair, privateKey: made.privateKey)
        }
        #expect(error?.code == .unsupported)
        #expect("\(error as Any)".contains("generic-32k-smartcard"))
        #expect(try await card.objects().isEmpty)
        await store.close()
    }

    private static let agreeing = ["mechanisms.ecdh": "raw"]

    @Test(
        "A card takes keys as long as there is room, and refuses the next one with 0x80100028 before anything is written",
        arguments: ["generic-8k-smartcard", "generic-32k-smartcard"])
    func cards(_ name: String) async throws {
        let made = try await Made()
        let card = try await SimulatedCard(
            profile: name, overrides: Self.agreeing.merging(["capacity.bytes": "\(Self.bytes(name))"]) { $1 })
        let store = try await card.store(
            profile: profile(name, overrides: Self.agreeing.merging(["capacity.bytes": "\(Self.bytes(name))"]) { $1 }))
        _ = try await store.storeUserKey(made.pair, privateKey: made.privateKey)
        let before = try await card.objects()
        let next = try await Made()
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.storeUserKey(next.pair, privateKey: next.privateKey)
        }
        #expect(error?.code == .tokenFull)
        #expect(error?.hresult.rawValue == 0x8010_0028)
        #expect(error?.tokenFailure == nil)
        #expect(try await card.objects() == before)
        await store.close()
    }

    /// With so many a card has room for one P-256 pair with its certificate, by 90 % of what is not reserved.
    private static func bytes(_ profile: String) -> Int { profile == "generic-8k-smartcard" ? 5_000 : 9_420 }

    @Test("With unknown capacity the same card fails in the middle, and is as it was")
    func rolledBack() async throws {
        let made = try await Made()
        let name = "generic-8k-smartcard"
        let card = try await SimulatedCard(
            profile: name, overrides: Self.agreeing.merging(["capacity.bytes": "4000"]) { $1 })
        let store = try await card.store(
            profile: profile(name, overrides: Self.agreeing.merging(["capacity.bytes": "unknown"]) { $1 }))
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.storeUserKey(made.pair, privateKey: made.privateKey)
        }
        #expect(error?.code == .tokenFull)
        #expect(error?.hresult.rawValue == 0x8010_0028)
        #expect(error?.tokenFailure?.function == "C_CreateObject")
        #expect(try await card.objects().isEmpty)
        await store.close()
    }

    @Test(
        "A failure of any call between the first object and the proof leaves nothing",
        arguments: [
            "{function: C_CreateObject, call: 1, returns: DEVICE_ERROR, after: true}",
            "{function: C_CreateObject, call: 2, returns: DEVICE_ERROR}",
            "{function: C_CreateObject, call: 3, returns: DEVICE_MEMORY}",
            "{function: C_DeriveKey, call: 1, returns: DEVICE_ERROR}",
            "{function: C_DecryptInit, call: 1, returns: DEVICE_ERROR}",
            "{function: C_Decrypt, call: 1, returns: GENERAL_ERROR}",
        ])
    func failureAtCall(_ fault: String) async throws {
        let made = try await Made()
        let card = try await SimulatedCard(profile: nil, faults: [fault])
        let store = try await card.store(profile: profile("softhsm2"))
        await #expect(throws: KeyProviderError.self) {
            try await store.storeUserKey(made.pair, privateKey: made.privateKey)
        }
        #expect(try await card.objects().isEmpty)
        #expect(try await store.keyPairs().isEmpty)
        await store.close()
    }
}
