import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@testable import KeyArchival

@Suite("Recovering archived keys")
struct RecoveryTests {
    fileprivate static let manager = Principal(name: "EXAMPLE\\manager", roles: [.certificateManager])

    /// A CA with one user whose key is archived to one agent.
    private struct Site: Sendable {
        let authority: TestAuthority
        let requestID: Int64
        let certificate: CertificateFields

        /// Archives by `archive`, after the agent with that key was added.
        init(
            _ authority: TestAuthority, agent: SubjectPublicKeyInfo,
            _ archive: (CertificateFields) async throws -> ArchivedKeyDraft
        ) async throws {
            self.authority = authority
            let agent = try await authority.addAgent("Agent", key: agent)
            let draft = try await archive(agent)
            (self.requestID, self.certificate) = try await authority.issue("alice", to: TestKey.user.publicKey)
            let record = draft.record(forRequest: self.requestID, at: TestAuthority.now)
            try await authority.storage.write { try $0.insert(record) }
        }

        /// The user's key sealed to the agent as an exchange token does it, for what is not about the token.
        static func sealed(to agent: SubjectPublicKeyInfo) async throws -> Site {
            try await Site(TestAuthority(), agent: agent) { agent in
                ArchivedKeyDraft(
                    format: .cmsAES,
                    envelopedDataDER: try EnvelopedData.sealing(
                        privateKey: TestKey.user.privateKey, to: [agent], encryption: .aes256CBC,
                        transport: .oaep(.sha1), random: LibCrypto.randomBytes
                    ).contentInfoDER(),
                    kraHashes: [agent.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ")],
                    evidenceJSON: "{}")
            }
        }

        func blob() async throws -> [UInt8] {
            try await self.authority.recoveryBlobs.recoveryBlob(forRequest: self.requestID, by: RecoveryTests.manager)
        }
    }

    static let cards: [(PrivateKeyEncryption, SoftwareToken.Kind)] = [
        (.aesKeyWrapPadded, .softHSM), (.microsoft2003, .softHSM), (.aesKeyWrapPadded, .nss),
    ]

    @Test("The agent's card opens the blob, and openssl reads the user's key from the PKCS #12", arguments: cards)
    func recovered(_ encryption: PrivateKeyEncryption, _ cardKind: SoftwareToken.Kind) async throws {
        try await ArchivingSite.with(agents: 0) { archiving in
            try await TestToken.with(cardKind, label: "agent card") { card in
                try await self.recover(encryption, archiving, card)
            }
        }
    }

    private func recover(
        _ encryption: PrivateKeyEncryption, _ archiving: ArchivingSite, _ card: TestToken
    ) async throws {
        let pair = try await card.generate(.keyRecoveryAgent, label: "agent")
        let site = try await Site(
            archiving.authority, agent: SubjectPublicKeyInfo(derEncoded: pair.subjectPublicKeyInfo)
        ) { _ in
            try await archiving.authority.archiver(archiving.token.keys).archive(archiving.userRequest(encryption))
        }
        let recovery = try await KeyRecovery(blobDER: site.blob(), trusting: [site.authority.certificate])
        #expect(recovery.certificate.derBytes == site.certificate.derBytes)
        #expect(recovery.chain.map(\.derBytes) == [site.authority.certificate.derBytes])
        #expect(recovery.recipients.map(\.description) == ["CN=Agent, serial number 61AA02"])
        let recovered = try await recovery.recover(with: [archiving.token.keys, card.keys])
        try #expect(recovered.privateKey.derBytes.matches(TestKey.user.privateKey))

        let password = try SecretBytes(copying: "correct horse".utf8)
        let file = try recovered.pkcs12(friendlyName: "alice", password: password)
        let directory = try TemporaryDirectory()
        let path = try directory.write("alice.p12", file.withUnsafeBytes { Array($0) })
        let key = try await run(
            ["openssl", "pkcs12", "-in", path, "-nodes", "-nocerts", "-passin", "env:PASSWORD"],
            environment: ["PASSWORD": "correct horse"])
        #expect(key.status == 0, "\(key.stderr)")
        let pkcs8 = try await run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], input: key.stdout)
        try #expect(pkcs8.stdout == TestKey.user.privateKey.withUnsafeBytes { Array($0) })
    }

    @Test("openssl verifies the blob's signature and prints it")
    func blobByOpenSSL() async throws {
        let site = try await Site.sealed(to: TestKey.agents[0].publicKey)
        let directory = try TemporaryDirectory()
        let blob = try directory.write("blob", await site.blob())
        let pem = TextEncoding.pem(site.authority.certificate.derBytes, label: "CERTIFICATE")
        let authority = try directory.write("ca.pem", Array(pem.utf8))
        let verified = try await run([
            "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", blob, "-CAfile", authority, "-purpose",
            "any", "-no_check_time",
        ])
        #expect(verified.status == 0, "\(verified.stderr)")
        let archived = try await site.authority.storage.read { try $0.archivedKey(forRequest: site.requestID) }
        #expect(verified.stdout == archived?.envelopedDataDER)
        let printed = try await run(["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", blob])
        #expect(printed.text.contains("1.3.6.1.4.1.311.21.16"))
        // The user's certificate with its chain, that of the CA, and the agent's: all that recovery needs.
        let certificates = try await run(
            ["openssl", "pkcs7", "-inform", "DER", "-in", blob, "-print_certs", "-noout"])
        for subject in ["CN = alice", "CN = Issuing CA", "CN = Agent"] {
            #expect(certificates.text.contains("subject=") && certificates.text.contains(subject))
        }
    }

    @Test("Taking a blob is for certificate managers, and is recorded")
    func roleAndAudit() async throws {
        let site = try await Site.sealed(to: TestKey.agents[0].publicKey)
        let other = Principal(name: "EXAMPLE\\admin", roles: [.administrator, .auditor, .enrollee])
        let error = await #expect(throws: RequestError.self) {
            try await site.authority.recoveryBlobs.recoveryBlob(forRequest: site.requestID, by: other)
        }
        #expect(error?.hresult == .accessDenied)
        try await #expect(site.authority.storage.read { try $0.auditHead() } == nil)
        _ = try await site.blob()
        let head = try await site.authority.storage.read { try $0.auditHead() }
        let entry = try #require(head)
        #expect(entry.event.id == .archivedKeyRetrieved)
        #expect(entry.event.who == "EXAMPLE\\manager")
        #expect(entry.event.details["Request ID"] == "\(site.requestID)")
    }

    @Test("A request without an archived key, or without a certificate, has no blob")
    func noArchivedKey() async throws {
        let authority = try await TestAuthority()
        let issued = try await authority.issue("bob", to: TestKey.user.publicKey)
        for requestID in [issued.requestID, 99] {
            let error = await #expect(throws: ArchivalError.self) {
                try await authority.recoveryBlobs.recoveryBlob(forRequest: requestID, by: Self.manager)
            }
            #expect(error?.code == .noArchivedKey)
            #expect(error?.hresult.rawValue == 0x8009_4004)
        }
    }

    @Test("A blob needs the certificate of every agent to whom the key was archived")
    func missingAgent() async throws {
        let authority = try await TestAuthority()
        let issued = try await authority.issue("bob", to: TestKey.user.publicKey)
        let key = ArchivedKeyRecord(
            requestID: issued.requestID, format: .cmsAES, envelopedDataDER: [], kraHashes: ["0a 0b"],
            evidenceJSON: "{}", archivedWhen: TestAuthority.now)
        try await authority.storage.write { try $0.insert(key) }
        let error = await #expect(throws: ArchivalError.self) {
            try await authority.recoveryBlobs.recoveryBlob(forRequest: issued.requestID, by: Self.manager)
        }
        #expect(error?.code == .agentCertificateMissing)
        #expect(error?.hresult.rawValue == 0x8009_2004)
    }

    @Test("A card without the agent's key opens nothing, and the error says who can")
    func wrongCard() async throws {
        let site = try await Site.sealed(to: TestKey.agents[0].publicKey)
        try await TestToken.with(.softHSM) { card in
            _ = try await card.generate(.keyRecoveryAgent, label: "another agent")
            let recovery = try await KeyRecovery(blobDER: site.blob(), trusting: [site.authority.certificate])
            let error = await #expect(throws: ArchivalError.self) { try await recovery.recover(with: [card.keys]) }
            #expect(error?.code == .noRecoveryKey)
            #expect(error?.facts.map(\.value) == ["CN=Agent, serial number 61AA01"])
        }
    }

    @Test("A blob that no trusted CA signed is refused before a card is asked")
    func untrusted() async throws {
        let site = try await Site.sealed(to: TestKey.agents[0].publicKey)
        let blob = try await site.blob()
        let other = try await TestAuthority(name: "Issuing CA")
        for trusted in [[], [other.certificate], [site.certificate]] {
            #expect(throws: ArchivalError.of(.untrustedBlob)) { try KeyRecovery(blobDER: blob, trusting: trusted) }
        }
        var changed = blob
        changed[changed.count - 1] ^= 1
        #expect(throws: PKIMessageError.self) {
            try KeyRecovery(blobDER: changed, trusting: [site.authority.certificate])
        }
        #expect(throws: PKIMessageError.self) {
            try KeyRecovery(blobDER: Array(blob.dropLast()), trusting: [site.authority.certificate])
        }
    }

    @Test("What was checked before is believed of the very same certificate and key only")
    func checkedSignatures() async throws {
        let authority = try await TestAuthority()
        let other = try await TestAuthority(name: "Other CA")
        let signatures = CheckedSignatures()
        var bytes = authority.certificate.derBytes
        bytes[bytes.count - 1] ^= 1
        let changed = try CertificateFields(derEncoded: bytes)
        for _ in 0..<2 {
            #expect(signatures.isSigned(authority.certificate, by: authority.certificate.subjectPublicKeyInfo))
            #expect(!signatures.isSigned(changed, by: authority.certificate.subjectPublicKeyInfo))
            #expect(!signatures.isSigned(authority.certificate, by: other.certificate.subjectPublicKeyInfo))
        }
    }

    @Test("Blobs that are read together are refused for the same reasons as one alone")
    func sharedCertificates() async throws {
        let site = try await Site.sealed(to: TestKey.agents[0].publicKey)
        let blob = try await site.blob()
        let shared = SharedCertificates()
        let trusted = [site.authority.certificate]
        let first = try KeyRecovery(blobDER: blob, trusting: trusted, shared: shared)
        let second = try KeyRecovery(blobDER: blob, trusting: trusted, shared: shared)
        #expect(second.chain.map(\.derBytes) == first.chain.map(\.derBytes))
        #expect(second.recipients.map(\.description) == first.recipients.map(\.description))
        var changed = blob
        changed[changed.count - 1] ^= 1
        #expect(throws: PKIMessageError.self) {
            try KeyRecovery(blobDER: changed, trusting: trusted, shared: shared)
        }
        let stranger = try await TestAuthority(name: "Other CA").certificate
        #expect(throws: ArchivalError.of(.untrustedBlob)) {
            try KeyRecovery(blobDER: blob, trusting: [stranger], shared: shared)
        }
    }

    @Test("A cut blob is refused; a changed one is refused or still names the same certificate")
    func changed() async throws {
        let site = try await Site.sealed(to: TestKey.agents[0].publicKey)
        let blob = try await site.blob()
        let trusted = [site.authority.certificate]
        for length in stride(from: 0, to: blob.count, by: 11) {
            let error = #expect(throws: (any Error).self) {
                try KeyRecovery(blobDER: Array(blob.prefix(length)), trusting: trusted)
            }
            #expect(error is PKIMessageError)
        }
        for position in stride(from: 0, to: blob.count, by: 9) {
            var changed = blob
            changed[position] ^= 0x41
            do {
                let read = try KeyRecovery(blobDER: changed, trusting: trusted)
                #expect(read.certificate.derBytes == site.certificate.derBytes)
            } catch {
                #expect(error is PKIMessageError || error is ArchivalError, "byte \(position): \(error)")
            }
        }
    }

    @Test("An archived key that is not the certificate's is not handed out")
    func wrongKey() async throws {
        try await TestToken.with(.softHSM) { card in
            let pair = try await card.generate(.keyRecoveryAgent, label: "agent")
            let site = try await Site.sealed(to: SubjectPublicKeyInfo(derEncoded: pair.subjectPublicKeyInfo))
            let other = try await site.authority.issue("mallory", to: TestKey.other.publicKey)
            let found = try await site.authority.storage.read { try $0.archivedKey(forRequest: site.requestID) }
            var moved = try #require(found)
            moved.requestID = other.requestID
            let stored = moved
            try await site.authority.storage.write { try $0.insert(stored) }
            let blob = try await site.authority.recoveryBlobs.recoveryBlob(
                forRequest: other.requestID, by: Self.manager)
            let recovery = try KeyRecovery(blobDER: blob, trusting: [site.authority.certificate])
            await #expect(throws: ArchivalError.of(.keyMismatch)) { try await recovery.recover(with: [card.keys]) }
        }
    }

    /// What the user's token is left with, and whether the key came wrapped.
    private func put(
        _ site: Site, from card: TestToken, onto target: TestToken
    ) async throws -> KeyRecovery.Transferred {
        let recovery = try await KeyRecovery(blobDER: site.blob(), trusting: [site.authority.certificate])
        return try await recovery.transfer(with: [card.keys], to: target.keys, label: "alice")
    }

    static let targets: [(SoftwareToken.Kind, SoftwareToken.Kind, Bool)] = [
        (.softHSM, .softHSM, true), (.softHSM, .softHSM, false), (.nss, .nss, true), (.nss, .nss, false),
        (.softHSM, .nss, true), (.nss, .softHSM, true),
    ]

    @Test(
        "A key goes straight onto the user's token: wrapped where both can, through locked memory else",
        arguments: targets)
    func ontoToken(_ agentKind: SoftwareToken.Kind, _ userKind: SoftwareToken.Kind, isWrapped: Bool) async throws {
        try await TestToken.with(agentKind, label: "agent card") { card in
            let pair = try await card.generate(.keyRecoveryAgent, label: "agent")
            let site = try await Site(
                TestAuthority(), agent: SubjectPublicKeyInfo(derEncoded: pair.subjectPublicKeyInfo)
            ) { agent in
                ArchivedKeyDraft(
                    format: .tokenWrapped,
                    envelopedDataDER: try EnvelopedData.sealing(
                        privateKey: TestKey.user.privateKey, to: [agent], encryption: .aesKeyWrapPadded,
                        transport: .oaep(.sha1), random: LibCrypto.randomBytes
                    ).contentInfoDER(),
                    kraHashes: [agent.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ")],
                    evidenceJSON: "{}")
            }
            try await TestToken.with(
                userKind, label: "new token", overrides: isWrapped ? [:] : TestToken.withoutKeyWrap
            ) { target in
                let done = try await self.put(site, from: card, onto: target)
                #expect(done.wasWrapped == isWrapped)
                let pairs = try await target.keys.keyPairs()
                #expect(pairs == [done.pair])
                #expect(done.pair.attributes.extractable == false && done.pair.attributes.sensitive == true)
                try await #expect(
                    target.keys.certificates(for: done.pair.locator) == [site.certificate.derBytes])
                let ciphertext = try KeyTransport.encrypt(
                    Array("the message".utf8), to: TestKey.user.publicKey, transport: .pkcs1v15)
                let opened = try await target.keys.decrypt(
                    ciphertext, with: done.pair.locator, transport: .rsaPKCS1v15)
                try #expect(opened.matches(SecretBytes(copying: "the message".utf8)))
                // The agent's card has what it had.
                try await #expect(card.keys.keyPairs().map(\.label) == ["agent"])
            }
        }
    }

    @Test("A token without room takes neither key nor certificate: 0x80100028")
    func ontoFullToken() async throws {
        try await TestToken.with(.softHSM, label: "agent card") { card in
            let pair = try await card.generate(.keyRecoveryAgent, label: "agent")
            let site = try await Site.sealed(to: SubjectPublicKeyInfo(derEncoded: pair.subjectPublicKeyInfo))
            try await TestToken.with(
                .softHSM, label: "new token", overrides: ["capacity.max_objects": "2"]
            ) { target in
                let error = await #expect(throws: KeyProviderError.self) {
                    try await self.put(site, from: card, onto: target)
                }
                #expect(error?.code == .tokenFull)
                #expect(error?.hresult.rawValue == 0x8010_0028)
                try await #expect(target.keys.keyPairs().isEmpty)
                try await #expect(target.keys.capacity().objects == 0)
            }
        }
    }
}
