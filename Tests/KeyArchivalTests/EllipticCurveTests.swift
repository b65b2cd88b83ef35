import CertificateAuthority
import Diagnostics
import KeyProvider
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@testable import KeyArchival

/// Keys on curves, an extension of ours: proven on the token by an agreement on a key.
@Suite("Archiving elliptic curve keys")
struct EllipticCurveTests {
    /// What a device profile says of a token that has no key agreement.
    private static let withoutAgreement = ["mechanisms.ecdh": "none"]

    private func pair(_ kind: SoftwareKeys.Kind) throws -> (privateKey: SecretBytes, publicKey: SubjectPublicKeyInfo) {
        let privateKey = try SoftwareKeys.generate(kind)
        return (privateKey, try PrivateKeyInfo(derEncoded: privateKey).subjectPublicKeyInfo())
    }

    static let curves: [(SoftwareToken.Kind, SoftwareKeys.Kind)] = [
        (.softHSM, .p256), (.softHSM, .p384), (.softHSM, .p521), (.nss, .p256), (.nss, .p384), (.nss, .p521),
        (.simulatedSoftHSM, .p384), (.simulatedNSS, .p384),
    ]

    @Test("A key on a curve is proven on the token and never leaves it, and the record says by what", arguments: curves)
    func onToken(_ kind: SoftwareToken.Kind, _ curve: SoftwareKeys.Kind) async throws {
        try await ArchivingSite.with(kind) { site in
            let before = try await site.token.keys.capacity().objects
            let user = try self.pair(curve)
            let settings = ArchivalSettings(isHostPlaintextAllowed: false)
            let draft = try await site.authority.archiver(site.token.keys, settings: settings)
                .archive(site.request(user.privateKey, of: user.publicKey, .aesKeyWrapPadded))
            #expect(draft.format == .tokenWrapped)
            try #expect(site.open(draft, agent: 0).matches(user.publicKey))
            let evidence = try ArchivalEvidence(json: draft.evidenceJSON)
            #expect(evidence.path == .onToken && !evidence.wasInHostMemory)
            #expect(
                evidence.mechanisms.filter { $0 != evidence.mechanisms[1] } == [
                    "CKM_RSA_PKCS_OAEP", "CKM_ECDH1_DERIVE", "CKM_AES_CBC_PAD", "CKM_AES_KEY_GEN", "CKM_RSA_PKCS_OAEP",
                ])
            #expect(evidence.privateKeyAttributes?.sensitive == true)
            #expect(evidence.publicKeySHA256 == Hexadecimal.lower(user.publicKey.sha256))
            try await #expect(site.token.keys.capacity().objects == before)
        }
    }

    static let strangers: [(SoftwareToken.Kind, SoftwareKeys.Kind)] = [
        (.softHSM, .p256), (.softHSM, .p384), (.softHSM, .rsa(bits: 2048)), (.nss, .p256), (.nss, .p384),
        (.nss, .rsa(bits: 2048)),
    ]

    @Test("A private key of another pair, on the same curve or not, is refused on the token", arguments: strangers)
    func otherKey(_ kind: SoftwareToken.Kind, _ other: SoftwareKeys.Kind) async throws {
        try await ArchivingSite.with(kind) { site in
            let before = try await site.token.keys.capacity().objects
            let publicKey = try self.pair(.p256).publicKey
            let request = try site.request(self.pair(other).privateKey, of: publicKey, .aesKeyWrapPadded)
            let error = await #expect(throws: ArchivalError.self) {
                try await site.authority.archiver(site.token.keys).archive(request)
            }
            // A token that is told which curve it is refuses another key when it unwraps it.
            #expect(error?.code == .keyMismatch || (other != .p256 && error?.code == .notDecrypted), "\(error as Any)")
            #expect(error?.hresult == .badKey || error?.code == .notDecrypted)
            try await #expect(site.token.keys.capacity().objects == before)
        }
    }

    @Test(
        "Without key agreement on the token the key is proven in host memory; where that is forbidden it is refused")
    func hostMemory() async throws {
        try await ArchivingSite.with(overrides: Self.withoutAgreement) { site in
            let user = try self.pair(.p256)
            let request = try site.request(user.privateKey, of: user.publicKey, .aesKeyWrapPadded)
            let draft = try await site.authority.archiver(site.token.keys).archive(request)
            #expect(draft.format == .cmsAES)
            try #expect(site.open(draft, agent: 0).matches(user.publicKey))
            let other = try site.request(self.pair(.p256).privateKey, of: user.publicKey, .aes256CBC)
            await #expect(throws: ArchivalError.of(.keyMismatch)) {
                try await site.authority.archiver(site.token.keys).archive(other)
            }
            for settings in [
                ArchivalSettings(isHostPlaintextAllowed: false), ArchivalSettings(format: .tokenWrapped),
            ] {
                await #expect(throws: ArchivalError.of(.pathNotAvailable)) {
                    try await site.authority.archiver(site.token.keys, settings: settings).archive(request)
                }
            }
        }
    }

    @Test(
        "An agent's card proves the key by itself and passes it on wrapped, and gives it back for a PKCS #12",
        arguments: [SoftwareToken.Kind.softHSM, .nss])
    func recovered(_ kind: SoftwareToken.Kind) async throws {
        try await ArchivingSite.with(kind, agents: 0) { site in
            try await TestToken.with(kind, label: "card") { card in
                let agent = try await site.authority.addAgent(
                    "Agent",
                    key: SubjectPublicKeyInfo(
                        derEncoded: card.generate(.keyRecoveryAgent, label: "agent").subjectPublicKeyInfo))
                let user = try self.pair(.p384)
                let draft = try await site.authority.archiver(site.token.keys)
                    .archive(site.request(user.privateKey, of: user.publicKey, .aesKeyWrapPadded))
                let issued = try await site.authority.issue("alice", to: user.publicKey)
                let recovery = try KeyRecovery(
                    envelopedDataDER: draft.envelopedDataDER, certificateDER: issued.certificate.derBytes,
                    agentsDER: [agent.derBytes])
                let wasInHostMemory = try await recovery.prove(with: card.keys, isHostPlaintextAllowed: false)
                #expect(!wasInHostMemory)
                let sealed = try await recovery.sealed(
                    with: card.keys, to: site.exchange, oaepHashes: site.token.keys.oaepHashes,
                    isHostPlaintextAllowed: false)
                #expect(sealed.wasWrapped)
                let again = try await site.authority.archiver(site.token.keys).archive(
                    KeyArchivalRequest(
                        requesterName: "EXAMPLE\\admin", encryptedKeyDER: sealed.envelopedData.contentInfoDER(),
                        subjectPublicKeyInfo: user.publicKey.derBytes))
                #expect(again.format == .tokenWrapped)
                let recovered = try await recovery.recover(with: [card.keys])
                #expect(try recovered.privateKey.matches(user.publicKey))
            }
        }
    }

    static let targets: [(SoftwareToken.Kind, SoftwareToken.Kind, Bool)] = [
        (.softHSM, .softHSM, true), (.softHSM, .softHSM, false), (.nss, .nss, true), (.nss, .nss, false),
        (.softHSM, .nss, true), (.nss, .softHSM, true),
    ]

    @Test(
        "A key on a curve goes straight onto the user's token: wrapped where both can, through locked memory else",
        arguments: targets)
    func ontoToken(_ agentKind: SoftwareToken.Kind, _ userKind: SoftwareToken.Kind, isWrapped: Bool) async throws {
        try await TestToken.with(agentKind, label: "card") { card in
            let user = try self.pair(.p384)
            let recovery = try await self.recovery(of: user, with: card)
            try await TestToken.with(
                userKind, label: "new token", overrides: isWrapped ? [:] : TestToken.withoutKeyWrap
            ) { target in
                let done = try await recovery.transfer(with: [card.keys], to: target.keys, label: "alice")
                #expect(done.wasWrapped == isWrapped)
                #expect(done.pair.subjectPublicKeyInfo == user.publicKey.derBytes && done.pair.algorithm == .p384)
                #expect(done.pair.attributes.extractable == false && done.pair.attributes.sensitive == true)
                try await #expect(target.keys.keyPairs() == [done.pair])
                try await #expect(
                    target.keys.certificates(for: done.pair.locator) == [recovery.certificate.derBytes])
                try await #expect(card.keys.keyPairs().map(\.label) == ["agent"])
            }
        }
    }

    @Test("A user's token without key agreement takes nothing, and the error names its profile")
    func ontoTokenWithoutAgreement() async throws {
        try await TestToken.with(.softHSM, label: "card") { card in
            let recovery = try await self.recovery(of: self.pair(.p256), with: card)
            try await TestToken.with(.softHSM, label: "new token", overrides: Self.withoutAgreement) { target in
                let error = await #expect(throws: KeyProviderError.self) {
                    try await recovery.transfer(with: [card.keys], to: target.keys, label: "alice")
                }
                #expect(error?.code == .unsupported)
                #expect(error?.reason.contains("softhsm2") == true)
                try await #expect(target.keys.capacity().objects == 0)
            }
        }
    }

    /// The user's key, archived to an agent whose key is made on the card.
    private func recovery(
        of user: (privateKey: SecretBytes, publicKey: SubjectPublicKeyInfo), with card: TestToken
    ) async throws -> KeyRecovery {
        let authority = try await TestAuthority()
        let agent = try await authority.addAgent(
            "Agent",
            key: SubjectPublicKeyInfo(
                derEncoded: card.generate(.keyRecoveryAgent, label: "agent").subjectPublicKeyInfo))
        let sealed = try EnvelopedData.sealing(
            privateKey: user.privateKey, to: [agent], encryption: .aesKeyWrapPadded, transport: .oaep(.sha1),
            random: LibCrypto.randomBytes)
        return try await KeyRecovery(
            envelopedDataDER: sealed.contentInfoDER(),
            certificateDER: authority.issue("alice", to: user.publicKey).certificate.derBytes,
            agentsDER: [agent.derBytes])
    }
}

@Suite("Agreeing on a key")
struct KeyAgreementTests {
    @Test(
        "Both sides compute the X coordinate: openssl does with the private key",
        arguments: [(SoftwareKeys.Kind.p256, 32), (.p384, 48), (.p521, 66)])
    func openssl(_ kind: SoftwareKeys.Kind, _ fieldBytes: Int) async throws {
        let privateKey = try SoftwareKeys.generate(kind)
        let publicKey = try PrivateKeyInfo(derEncoded: privateKey).subjectPublicKeyInfo()
        let agreement = try KeyAgreement(with: publicKey)
        #expect(agreement.point.count == 1 + 2 * fieldBytes && agreement.point[0] == 4)
        let directory = try TemporaryDirectory()
        let mine = try directory.write("mine.der", privateKey.withUnsafeBytes { Array($0) })
        // The other public key: the request's with another point.
        let header = publicKey.derBytes.prefix(publicKey.derBytes.count - agreement.point.count)
        let peer = try directory.write("peer.der", Array(header) + agreement.point)
        let computed = try await run([
            "openssl", "pkeyutl", "-derive", "-inkey", mine, "-keyform", "DER", "-peerkey", peer, "-peerform", "DER",
        ])
        #expect(computed.status == 0, "\(computed.stderr)")
        #expect(agreement.secret.withUnsafeBytes { Array($0) } == computed.stdout)
    }

    @Test("There is no agreement with an RSA key, nor with a point that is not on its curve")
    func refused() throws {
        let error = #expect(throws: PKIMessageError.self) { try KeyAgreement(with: TestKey.user.publicKey) }
        #expect(error?.code == .unsupportedAlgorithm)
        var bytes = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(.p256)).subjectPublicKeyInfo().derBytes
        bytes[bytes.count - 1] ^= 1
        let off = try SubjectPublicKeyInfo(derEncoded: bytes)
        #expect(throws: PKIMessageError.self) { try KeyAgreement(with: off) }
    }
}
