import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@testable import KeyArchival

/// A CA with an exchange key on a token, and agents whose keys are in software so that a test can look.
struct ArchivingSite: Sendable {
    let authority: TestAuthority
    let token: TestToken
    let exchange: CertificateFields

    /// - Parameter hasExchangeKey: false for what has to be refused before the token is asked.
    static func with(
        _ kind: SoftwareToken.Kind = .softHSM, agents: Int = 1, overrides: [String: String] = [:],
        hasExchangeKey: Bool = true, _ body: (ArchivingSite) async throws -> Void
    ) async throws {
        try await TestToken.with(kind, overrides: overrides) { token in
            let authority = try await TestAuthority()
            let pair =
                hasExchangeKey
                ? try await token.generate(.exchange, label: "exchange") : try TestKey.other.notOnToken()
            let exchange = try await authority.addExchangeCertificate(pair)
            for number in 0..<agents {
                try await authority.addAgent("Agent \(number)", key: TestKey.agents[number].publicKey)
            }
            try await body(ArchivingSite(authority: authority, token: token, exchange: exchange))
        }
    }

    /// What a requester sends.
    func request(
        _ key: SecretBytes, of publicKey: SubjectPublicKeyInfo, _ encryption: PrivateKeyEncryption,
        transport: TransportPadding = .oaep(.sha1)
    ) throws -> KeyArchivalRequest {
        KeyArchivalRequest(
            requesterName: "EXAMPLE\\alice",
            encryptedKeyDER: try KeyArchivalMessage.sealForExchange(
                privateKey: key, exchangeCertificate: self.exchange, format: encryption, transport: transport,
                random: LibCrypto.randomBytes),
            subjectPublicKeyInfo: publicKey.derBytes)
    }

    /// To whom keys without a request are encrypted.
    var exchangeForImport: KeyImporter.Exchange {
        KeyImporter.Exchange(certificate: self.exchange, oaepHashes: self.token.keys.oaepHashes)
    }

    func userRequest(_ encryption: PrivateKeyEncryption) throws -> KeyArchivalRequest {
        try self.request(TestKey.user.privateKey, of: TestKey.user.publicKey, encryption)
    }

    /// Opens the archived key as an agent with a key in software does.
    func open(_ draft: ArchivedKeyDraft, agent: Int) throws -> PrivateKeyInfo {
        let envelopedData = try EnvelopedData(contentInfoDER: draft.envelopedDataDER)
        let agentKey = try PrivateKeyInfo(derEncoded: TestKey.agents[agent].privateKey)
        for recipient in envelopedData.recipients {
            guard
                let key = try? agentKey.decrypt(recipient.encryptedKey, transport: recipient.keyEncryption)
            else { continue }  // encrypted to another agent
            return try envelopedData.openPrivateKey(contentEncryptionKey: key)
        }
        throw ArchivalError.of(.noRecoveryKey)
    }
}

@Suite("Archiving private keys on tokens")
struct ArchivalTests {
    private struct Evidence: Decodable {
        struct Token: Decodable { let label: String }
        let path: String
        let profile: String
        let token: Token
        let exchangeCertificate: String
        let mechanisms: [String]
        let privateKeyAttributes: KeyAttributes?
        let memoryLocked: Bool?
        let archivedWhen: String

        init(_ draft: ArchivedKeyDraft) throws {
            self = try JSONDecoder().decode(Evidence.self, from: Data(draft.evidenceJSON.utf8))
        }
    }

    @Test("A key wrapped by RFC 5649 never leaves a token that can take it", arguments: SoftwareToken.Kind.allCases)
    func onToken(_ kind: SoftwareToken.Kind) async throws {
        try await ArchivingSite.with(kind) { site in
            let before = try await site.token.keys.capacity().objects
            let draft = try await site.authority.archiver(site.token.keys).archive(site.userRequest(.aesKeyWrapPadded))
            #expect(draft.format == .tokenWrapped)
            try #expect(site.open(draft, agent: 0).matches(TestKey.user.publicKey))
            let evidence = try Evidence(draft)
            #expect(evidence.path == "on-token")
            #expect(evidence.profile == kind.profileName)
            #expect(evidence.token.label == "signet test")
            #expect(evidence.exchangeCertificate == site.exchange.serialHex)
            #expect(evidence.archivedWhen == "2026-01-01T12:00:00Z")
            #expect(evidence.mechanisms.first == "CKM_RSA_PKCS_OAEP")
            #expect(evidence.mechanisms.count == 6)
            #expect(evidence.privateKeyAttributes?.sensitive == true)
            #expect(evidence.memoryLocked == nil)
            try await #expect(site.token.keys.capacity().objects == before)
        }
    }

    static let hostPaths: [(SoftwareToken.Kind, PrivateKeyEncryption, ArchiveFormat?)] = [
        (.softHSM, .aes256CBC, nil), (.softHSM, .microsoft2003, nil), (.softHSM, .aesKeyWrapPadded, .cmsAES),
        (.softHSM, .microsoft2003, .microsoft2003), (.nss, .aesKeyWrapPadded, .cmsAES),
        (.nss, .aes256CBC, .microsoft2003),
    ]

    @Test("Every other key is opened in locked memory and encrypted on the token", arguments: hostPaths)
    func hostMemory(
        _ kind: SoftwareToken.Kind, _ encryption: PrivateKeyEncryption, _ format: ArchiveFormat?
    ) async throws {
        try await ArchivingSite.with(kind) { site in
            let archiver = try site.authority.archiver(site.token.keys, settings: ArchivalSettings(format: format))
            let draft = try await archiver.archive(site.userRequest(encryption))
            #expect(draft.format == format ?? .cmsAES)
            try #expect(site.open(draft, agent: 0).matches(TestKey.user.publicKey))
            let evidence = try Evidence(draft)
            #expect(evidence.path == "host-memory")
            #expect(evidence.profile == kind.profileName)
            #expect(evidence.memoryLocked != nil)
            #expect(evidence.mechanisms.first == "CKM_RSA_PKCS_OAEP")
            #expect(evidence.mechanisms.contains(format == .microsoft2003 ? "CKM_DES3_CBC_PAD" : "CKM_AES_CBC_PAD"))
        }
    }

    @Test(
        "A key sent with RSAES-PKCS1-v1_5 is archived as well",
        arguments: [PrivateKeyEncryption.aesKeyWrapPadded, .microsoft2003])
    func oldTransport(_ encryption: PrivateKeyEncryption) async throws {
        try await ArchivingSite.with { site in
            let request = try site.request(
                TestKey.user.privateKey, of: TestKey.user.publicKey, encryption, transport: .pkcs1v15)
            let draft = try await site.authority.archiver(site.token.keys).archive(request)
            try #expect(site.open(draft, agent: 0).matches(TestKey.user.publicKey))
        }
    }

    @Test(
        "Each of the selected agents can open the key, and their hashes are kept",
        arguments: [
            PrivateKeyEncryption.aesKeyWrapPadded, .aes256CBC,
        ])
    func severalAgents(_ encryption: PrivateKeyEncryption) async throws {
        try await ArchivingSite.with(agents: 3) { site in
            let draft = try await site.authority.archiver(site.token.keys, count: 3).archive(
                site.userRequest(encryption))
            for agent in 0..<3 { try #expect(site.open(draft, agent: agent).matches(TestKey.user.publicKey)) }
            let agents = try await site.authority.storage.read { try $0.keyRecoveryAgents() }
            let hashes = agents.map { agent in
                agent.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ")
            }
            #expect(Set(draft.kraHashes) == Set(hashes))
        }
    }

    @Test("openssl opens the cms-aes format with the agent's key, and finds the private key as it was sent")
    func openssl() async throws {
        try await ArchivingSite.with { site in
            let settings = ArchivalSettings(format: .cmsAES, keyTransport: .oaep(.sha1))
            let draft = try await site.authority.archiver(site.token.keys, settings: settings)
                .archive(site.userRequest(.aesKeyWrapPadded))
            let directory = try TemporaryDirectory()
            let agents = try await site.authority.storage.read { try $0.keyRecoveryAgents() }
            let envelope = try directory.write("key.cms", draft.envelopedDataDER)
            let certificate = try directory.write("agent.crt", agents[0].certificateDER)
            let key = try directory.write(
                "agent.key", TestKey.agents[0].privateKey.withUnsafeBytes { Array($0) })
            let result = try await run([
                "openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", envelope, "-recip", certificate,
                "-inkey", key, "-keyform", "DER",
            ])
            #expect(result.status == 0, "\(result.stderr)")
            try #expect(result.stdout == TestKey.user.privateKey.withUnsafeBytes { Array($0) })
            let printed = try await run([
                "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", envelope,
            ])
            #expect(printed.status == 0)
            #expect(printed.text.contains("aes-256-cbc"))
            #expect(printed.text.contains("rsaesOaep"))
        }
    }
}

@Suite("What is not archived")
struct RefusedArchivalTests {
    static let encryptions: [(SoftwareToken.Kind, PrivateKeyEncryption)] = [
        (.softHSM, .aesKeyWrapPadded), (.softHSM, .aes256CBC), (.softHSM, .microsoft2003), (.nss, .aesKeyWrapPadded),
    ]

    @Test(
        "A private key that does not belong to the request is refused, on the token and off it", arguments: encryptions)
    func wrongKey(_ kind: SoftwareToken.Kind, _ encryption: PrivateKeyEncryption) async throws {
        try await ArchivingSite.with(kind) { site in
            let before = try await site.token.keys.capacity().objects
            let request = try site.request(TestKey.other.privateKey, of: TestKey.user.publicKey, encryption)
            let error = await #expect(throws: ArchivalError.self) {
                try await site.authority.archiver(site.token.keys).archive(request)
            }
            #expect(error?.code == .keyMismatch)
            #expect(error?.hresult == .badKey)
            try await #expect(site.token.keys.capacity().objects == before)
        }
    }

    @Test("A changed ciphertext does not open, and which part was changed is not told", arguments: encryptions)
    func changedCiphertext(_ kind: SoftwareToken.Kind, _ encryption: PrivateKeyEncryption) async throws {
        try await ArchivingSite.with(kind) { site in
            let whole = try site.userRequest(encryption)
            let envelope = try EnvelopedData(contentInfoDER: whole.encryptedKeyDER)
            let recipient = try #require(envelope.recipients.first)
            for part in ["key", "content"] {
                var (encryptedKey, content) = (recipient.encryptedKey, envelope.encryptedContent)
                if part == "key" { encryptedKey[100] ^= 1 } else { content.reverse() }
                let changed = EnvelopedData(
                    recipients: [
                        try KeyTransRecipientInfo(
                            rid: recipient.rid, keyEncryption: recipient.keyEncryption, encryptedKey: encryptedKey)
                    ], contentEncryptionAlgorithm: envelope.contentEncryptionAlgorithm, encryptedContent: content)
                var request = whole
                request.encryptedKeyDER = try changed.contentInfoDER()
                let sent = request
                let error = await #expect(throws: ArchivalError.self) {
                    try await site.authority.archiver(site.token.keys).archive(sent)
                }
                // Of the plaintext that a wrong key gives, one in 256 has good padding and is no key instead.
                #expect(error?.code == .notDecrypted || error?.code == .malformedKey, "\(part)")
            }
        }
    }

    @Test("A key encrypted to no exchange certificate of this CA is refused")
    func unknownRecipient() async throws {
        try await ArchivingSite.with(hasExchangeKey: false) { site in
            let other = try await TestAuthority(name: "Other CA")
                .issue("Other CA-Xchg", to: TestKey.other.publicKey).certificate
            let sealed = try KeyArchivalMessage.sealForExchange(
                privateKey: TestKey.user.privateKey, exchangeCertificate: other, format: .aesKeyWrapPadded,
                transport: .oaep(.sha1), random: LibCrypto.randomBytes)
            let request = KeyArchivalRequest(
                requesterName: "alice", encryptedKeyDER: sealed,
                subjectPublicKeyInfo: try TestKey.user.publicKey.derBytes)
            let error = await #expect(throws: ArchivalError.self) {
                try await site.authority.archiver(site.token.keys).archive(request)
            }
            #expect(error?.code == .recipientNotFound)
            #expect(error?.hresult == .recipientNotFound)
        }
    }

    @Test("A key encrypted to an earlier exchange certificate is archived while that key is kept, and not after")
    func earlierExchangeKey() async throws {
        try await ArchivingSite.with { site in
            let request = try site.userRequest(.aesKeyWrapPadded)
            _ = try await site.authority.addExchangeCertificate(site.token.generate(.exchange, label: "next"))
            let archiver = try site.authority.archiver(site.token.keys)
            try await #expect(site.open(archiver.archive(request), agent: 0).matches(TestKey.user.publicKey))
            let first = try #require(
                try await site.authority.storage.read { try $0.exchangeCertificates() }.last)
            try await site.token.keys.removeKeyPair(first.locator)
            try await site.authority.storage.write {
                try $0.setRetired(exchangeCertificateOfRequest: first.requestID, at: TestAuthority.now)
            }
            let error = await #expect(throws: ArchivalError.self) { try await archiver.archive(request) }
            #expect(error?.code == .exchangeKeyRetired)
            #expect(error?.hresult == .recipientNotFound)
        }
    }

    @Test("A key encrypted to a revoked exchange certificate is refused before the token is asked")
    func revokedExchangeCertificate() async throws {
        try await ArchivingSite.with(hasExchangeKey: false) { site in
            try await site.authority.revoke(site.exchange)
            let error = await #expect(throws: ArchivalError.self) {
                try await site.authority.archiver(site.token.keys).archive(site.userRequest(.aes256CBC))
            }
            #expect(error?.code == .exchangeCertificateRevoked)
            #expect(error?.hresult == .revoked)
        }
    }

    @Test("Without a valid agent nothing is opened at all")
    func noAgent() async throws {
        try await ArchivingSite.with(agents: 0, hasExchangeKey: false) { site in
            await #expect(throws: ArchivalError.of(.notConfigured)) {
                try await site.authority.archiver(site.token.keys).archive(site.userRequest(.aesKeyWrapPadded))
            }
        }
    }

    static let unarchivable: [(SoftwareKeys.Kind, ArchiveFormat?)] = [
        (.ed25519, nil), (.p256, .microsoft2003), (.ed25519, .cmsAES),
    ]

    @Test(
        "A key that can only sign is refused, and in the format of Windows every key that is not RSA",
        arguments: unarchivable)
    func notArchivable(_ kind: SoftwareKeys.Kind, _ format: ArchiveFormat?) async throws {
        try await ArchivingSite.with(hasExchangeKey: false) { site in
            let publicKey = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(kind)).subjectPublicKeyInfo()
            let request = try site.request(TestKey.user.privateKey, of: publicKey, .aesKeyWrapPadded)
            let settings = ArchivalSettings(format: format)
            let error = await #expect(throws: ArchivalError.self) {
                try await site.authority.archiver(site.token.keys, settings: settings).archive(request)
            }
            #expect(error?.code == .unsupportedKey)
            #expect(error?.hresult == .badAlgorithm)
        }
    }

    @Test("A PRIVATEKEYBLOB of a signature key is refused")
    func signatureKey() async throws {
        try await ArchivingSite.with { site in
            var blob = try PrivateKeyBlob(privateKeyInfo: TestKey.user.privateKey).bytes.withUnsafeBytes { Array($0) }
            blob[5] = 0x24
            let vector = [UInt8](repeating: 7, count: 16)
            var keyBytes = try LibCrypto.randomBytes(32)
            let key = try SecretBytes(moving: &keyBytes)
            let envelope = EnvelopedData(
                recipients: [
                    try KeyTransRecipientInfo(
                        rid: .issuerAndSerialNumber(IssuerAndSerialNumber(site.exchange)), keyEncryption: .oaep(.sha1),
                        encryptedKey: KeyTransport.encrypt(
                            key, to: site.exchange.subjectPublicKeyInfo, transport: .oaep(.sha1)))
                ], contentEncryptionAlgorithm: .aes256CBC(vector),
                encryptedContent: try SymmetricCipher.aes256CBC.encrypt(
                    SecretBytes(copying: blob), key: key, iv: vector))
            let request = KeyArchivalRequest(
                requesterName: "alice", encryptedKeyDER: try envelope.contentInfoDER(),
                subjectPublicKeyInfo: try TestKey.user.publicKey.derBytes)
            let error = await #expect(throws: ArchivalError.self) {
                try await site.authority.archiver(site.token.keys).archive(request)
            }
            #expect(error?.code == .signatureOnlyKey)
            #expect(error?.hresult == .badKeyState)
        }
    }

    static let unavailable: [(PrivateKeyEncryption, ArchivalSettings)] = [
        (.aes256CBC, ArchivalSettings(format: .tokenWrapped)),
        (.aes256CBC, ArchivalSettings(isHostPlaintextAllowed: false)),
        (.aesKeyWrapPadded, ArchivalSettings(format: .cmsAES, isHostPlaintextAllowed: false)),
    ]

    @Test("A token that cannot wrap private keys archives in cms-aes, and does not when token-wrapped is demanded")
    func incapableToken() async throws {
        try await ArchivingSite.with(overrides: TestToken.withoutKeyWrap) { site in
            let draft = try await site.authority.archiver(site.token.keys).archive(site.userRequest(.aesKeyWrapPadded))
            #expect(draft.format == .cmsAES)
            let settings = ArchivalSettings(format: .tokenWrapped)
            await #expect(throws: ArchivalError.of(.pathNotAvailable)) {
                try await site.authority.archiver(site.token.keys, settings: settings)
                    .archive(site.userRequest(.aesKeyWrapPadded))
            }
        }
    }

    @Test("A path that the settings forbid is not taken", arguments: unavailable)
    func pathNotAvailable(_ encryption: PrivateKeyEncryption, _ settings: ArchivalSettings) async throws {
        try await ArchivingSite.with(hasExchangeKey: false) { site in
            let error = await #expect(throws: ArchivalError.self) {
                try await site.authority.archiver(site.token.keys, settings: settings)
                    .archive(site.userRequest(encryption))
            }
            #expect(error?.code == .pathNotAvailable)
            #expect(error?.advice.isEmpty == false)
        }
    }
}
