import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SecretMemory
import SwiftASN1
import TestSupport
import Testing

@testable import KeyArchival

/// An agent's card whose key is in software: what a card does with it is tested with real tokens elsewhere.
private struct SoftwareCard: KeyFinding, KeyDecrypting {
    let key: TestKey

    func keyPairs() async throws -> [TokenKeyPair] { [try self.key.notOnToken()] }
    func keyPair(_ locator: KeyLocator) async throws -> TokenKeyPair { try self.key.notOnToken() }
    func certificates(for key: KeyLocator) async throws -> [[UInt8]] { [] }

    func decrypt(
        _ ciphertext: [UInt8], with key: KeyLocator, transport: KeyTransportAlgorithm
    ) async throws -> SecretBytes {
        try PrivateKeyInfo(derEncoded: self.key.privateKey).decrypt(
            ciphertext, transport: TransportPadding(transport))
    }
}

@Suite("Archived keys that several agents open together")
struct ThresholdTests {
    private static let manager = Principal(name: "EXAMPLE\\manager", roles: [.certificateManager])

    /// The user's key, sealed so that two of three agents open it.
    private static func draft(
        _ site: ArchivingSite, _ encryption: PrivateKeyEncryption
    ) async throws
        -> ArchivedKeyDraft
    {
        try await site.authority.archiver(
            site.token.keys, settings: ArchivalSettings(threshold: 2), count: 3
        ).archive(site.userRequest(encryption))
    }

    private static func sealed(_ authority: TestAuthority) async throws -> EnvelopedData {
        let agents = try await authority.agents(count: 3).next()
        let inner = try EnvelopedData.sealing(
            privateKey: TestKey.user.privateKey, to: agents, encryption: .aes256CBC, transport: .oaep(.sha1),
            random: LibCrypto.randomBytes)
        return try ThresholdEnvelope.sealing(
            inner, to: agents, threshold: 2, transport: .oaep(.sha1), random: LibCrypto.randomBytes)
    }

    private static func recovery(_ authority: TestAuthority, _ envelopedDataDER: [UInt8]) async throws -> KeyRecovery {
        let agents = try await authority.agents(count: 3).ready()
        let (requestID, _) = try await authority.issue("alice", to: TestKey.user.publicKey)
        let draft = ArchivedKeyDraft(
            format: .cmsAES, envelopedDataDER: envelopedDataDER,
            kraHashes: agents.map { $0.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ") },
            evidenceJSON: "{}")
        try await authority.storage.write { try $0.insert(draft.record(forRequest: requestID, at: TestAuthority.now)) }
        let blob = try await authority.recoveryBlobs.recoveryBlob(forRequest: requestID, by: self.manager)
        return try KeyRecovery(blobDER: blob, trusting: [authority.certificate])
    }

    private static func authority() async throws -> TestAuthority {
        let authority = try await TestAuthority()
        for number in 0..<3 {
            try await authority.addAgent("Agent \(number)", key: TestKey.agents[number].publicKey)
        }
        return authority
    }

    private static func cards() throws -> [SoftwareCard] { try TestKey.agents.map { SoftwareCard(key: $0) } }

    @Test(
        "Any two of three agents open a key that one alone does not, whichever path it took on the exchange token",
        arguments: [PrivateKeyEncryption.aesKeyWrapPadded, .aes256CBC])
    func twoOfThree(_ encryption: PrivateKeyEncryption) async throws {
        try await ArchivingSite.with(agents: 3) { site in
            let draft = try await Self.draft(site, encryption)
            #expect(draft.format == (encryption == .aesKeyWrapPadded ? .tokenWrapped : .cmsAES))
            #expect(draft.evidenceJSON.contains(#""threshold":{"agents":3,"required":2,"sealingKey":"host-memory"}"#))
            #expect(draft.kraHashes.count == 3)
            let recovery = try await Self.recovery(site.authority, draft.envelopedDataDER)
            #expect(recovery.recipients.count == 3 && recovery.threshold?.threshold == 2)
            let cards = try Self.cards()
            for (first, second) in [(0, 1), (2, 0), (1, 2)] {
                let one = try await #require(recovery.share(on: cards[first]))
                await #expect(throws: ArchivalError.of(.sharesNeeded)) { try await recovery.recover(with: cards) }
                #expect(throws: ArchivalError.of(.sharesNeeded)) { try recovery.combining([one]) }
                #expect(recovery.waiting(without: [one]).recipients.count == 2)

                // The first passes the share to the second, who alone can read it.
                let agent = try #require(
                    recovery.recipients.compactMap(\.certificate).first {
                        try $0.subjectPublicKeyInfo.sha256 == TestKey.agents[second].publicKey.sha256
                    })
                let message = try recovery.message(
                    with: one, for: agent.serialHex, random: LibCrypto.randomBytes)
                try await #expect(recovery.share(inMessage: message, openedBy: cards[first]) == nil)
                let passed = try await #require(recovery.share(inMessage: message, openedBy: cards[second]))
                let own = try await #require(recovery.share(on: cards[second]))
                let combined = try recovery.combining([passed, own])
                let recovered = try await combined.recover(with: [cards[second]])
                try #expect(recovered.privateKey.derBytes.matches(TestKey.user.privateKey))
            }
        }
    }

    @Test("openssl and Python open it from the document alone: two shares, then the key")
    func judged() async throws {
        let authority = try await Self.authority()
        let directory = try TemporaryDirectory()
        let sealed = try await Self.sealed(authority)
        try directory.write("sealed", sealed.contentInfoDER())
        for (number, key) in try TestKey.agents.enumerated() {
            try directory.write("\(number).key", key.privateKey.withUnsafeBytes { Array($0) })
        }
        let result = try await run(["python3", "-c", Self.python, directory.path("")])
        #expect(result.status == 0, "\(result.stderr)")
        try #expect(result.stdout == TestKey.user.privateKey.withUnsafeBytes { Array($0) })
    }

    /// Reads the fields in their order; arithmetic as in ``SecretSharingTests``, by Russian multiplication.
    private static let python = """
        import hashlib, subprocess, sys
        from cryptography.hazmat.primitives import keywrap
        d = sys.argv[1] + '/'
        def tlv(b):
            n, o = b[1], 2
            if n & 0x80: o = 2 + (n & 0x7f); n = int.from_bytes(b[2:o], 'big')
            return b[0], b[o:o + n], b[o + n:], b[:o + n]
        def items(b):
            out = []
            while b: t, v, b, raw = tlv(b); out.append((t, v, raw))
            return out
        def openssl(message, key):
            return subprocess.run(['openssl', 'cms', '-decrypt', '-binary', '-inform', 'DER', '-keyform', 'DER',
                '-inkey', d + key], input=message, capture_output=True).stdout
        def mul(a, b):
            p = 0
            while b:
                if b & 1: p ^= a
                a <<= 1
                if a & 0x100: a ^= 0x11b
                b >>= 1
            return p
        def inv(a): return next(x for x in range(1, 256) if mul(a, x) == 1)
        version, recipients, content = items(items(items(tlv(open(d + 'sealed', 'rb').read())[1])[1][1])[0][1])
        assert version[1] == b'\\x03'
        points = []
        for tag, value, raw in items(recipients[1])[:2]:
            oid, info = items(value)
            assert tag == 0xa4 and oid[1].hex() == '2a864886f71401be40937a9143d13f83c22b81922282c02e87b3936785a88d46'
            one, ident, m, index, digest, message = items(info[1])
            opened = (openssl(message[2], f'{n}.key') for n in range(3))
            share = next(s for s in opened if hashlib.sha256(s).digest() == digest[1])
            assert len(share) == 63 and m[1] == b'\\x02'
            fields = items(tlv(share)[1])
            assert fields[1][1] == ident[1] and len(ident[1]) == 16 and fields[3][1] == index[1]
            points.append((index[1][0], fields[4][1]))
        key = bytearray(32)
        for x, y in points:
            other = next(o for o, _ in points if o != x)
            for i in range(32): key[i] ^= mul(y[i], mul(other, inv(other ^ x)))
        inner = keywrap.aes_key_unwrap_with_padding(bytes(key), items(content[1])[2][1])
        sys.stdout.buffer.write(openssl(inner, '0.key'))
        """

    @Test("A share of another key, a changed one and one that is there twice are refused, and named")
    func badShares() async throws {
        let authority = try await Self.authority()
        let recovery = try await Self.recovery(authority, Self.sealed(authority).contentInfoDER())
        let other = try await Self.recovery(authority, Self.sealed(authority).contentInfoDER())
        let cards = try Self.cards()
        let own = try await #require(recovery.share(on: cards[0]))
        let foreign = try await #require(other.share(on: cards[1]))
        #expect(throws: ArchivalError.of(.foreignShare)) { try recovery.combining([own, foreign]) }
        #expect(throws: ArchivalError.of(.duplicateShare)) { try recovery.combining([own, own]) }

        let second = try await #require(recovery.share(on: cards[1]))
        var bytes = second.value.withUnsafeBytes { Array($0) }
        bytes[7] ^= 1
        let changed = KeyShare(
            setIdentifier: second.setIdentifier, threshold: 2, index: second.index,
            value: try SecretBytes(copying: bytes))
        let error = #expect(throws: ArchivalError.self) { try recovery.combining([own, changed]) }
        #expect(error?.code == .badShare && error?.hresult.rawValue == 0x8009_0005)
        #expect(error?.facts.map(\.value) == [recovery.holder(of: second)])
        #expect(recovery.holder(of: second).hasPrefix("CN=Agent 1, serial number "))

        // Passed on in a message, it is found out, too.
        let receiver = try #require(recovery.recipients.first?.certificate)
        let message = try recovery.message(with: foreign, for: receiver.serialHex, random: LibCrypto.randomBytes)
        let holder = try #require(
            try TestKey.agents.first { $0.publicKey.sha256 == receiver.subjectPublicKeyInfo.sha256 })
        await #expect(throws: ArchivalError.of(.foreignShare)) {
            try await recovery.share(inMessage: message, openedBy: SoftwareCard(key: holder))
        }
        #expect(throws: ArchivalError.of(.notAnAgent)) {
            try recovery.message(with: own, for: "61AAFF", random: LibCrypto.randomBytes)
        }
        try await #expect(recovery.share(on: SoftwareCard(key: TestKey.other)) == nil)
    }

    @Test("Fewer agents than must act together, or two with one key, archive nothing: 0x8009400B")
    func tooFew() async throws {
        let authority = try await Self.authority()
        let agents = try await authority.agents(count: 3).ready()
        for (chosen, threshold) in [(Array(agents.prefix(2)), 3), ([agents[0], agents[0]], 2), (agents, 1)] {
            let inner = try EnvelopedData.sealing(
                privateKey: TestKey.user.privateKey, to: chosen, encryption: .aes256CBC, transport: .oaep(.sha1),
                random: LibCrypto.randomBytes)
            let error = #expect(throws: ArchivalError.self) {
                try ThresholdEnvelope.sealing(
                    inner, to: chosen, threshold: threshold, transport: .oaep(.sha1), random: LibCrypto.randomBytes)
            }
            #expect(error?.code == .noValidAgent && error?.hresult.rawValue == 0x8009_400B)
        }
    }

    @Test("A share has one encoding of 63 bytes; cut, longer or with another tag, length or version it is refused")
    func shareEncoding() throws {
        let share = KeyShare(
            setIdentifier: Array(0..<16), threshold: 2, index: 3, value: try SecretBytes(copying: 100..<132))
        let der = try share.encoded().withUnsafeBytes { Array($0) }
        #expect(
            Hexadecimal.lower(der) == "303d0201010410000102030405060708090a0b0c0d0e0f0201020201030420"
                + Hexadecimal.lower(Array(100..<132)))
        let read = try KeyShare(derEncoded: SecretBytes(copying: der))
        #expect(read.setIdentifier == share.setIdentifier && read.threshold == 2 && read.index == 3)
        #expect(read.value.matches(share.value))
        for length in 0..<der.count {
            #expect(throws: PKIMessageError.self) { try KeyShare(derEncoded: SecretBytes(copying: der.prefix(length))) }
        }
        #expect(throws: PKIMessageError.self) { try KeyShare(derEncoded: SecretBytes(copying: der + [0])) }
        for position in Array(0..<7) + [23, 24, 26, 27, 29, 30] {
            var changed = der
            changed[position] ^= 0x41
            #expect(throws: PKIMessageError.self) { try KeyShare(derEncoded: SecretBytes(copying: changed)) }
        }
        for position in 0..<der.count {
            var changed = der
            changed[position] ^= 0x41
            guard let other = try? KeyShare(derEncoded: SecretBytes(copying: changed)) else { continue }
            try #expect(other.digest() != share.digest(), "byte \(position)")
        }
    }

    @Test("A cut sealed key is refused; a changed one is refused or opens with unchanged shares to the same key")
    func damaged() async throws {
        let authority = try await Self.authority()
        let der = try await Self.sealed(authority).contentInfoDER()
        let whole = try #require(try ThresholdEnvelope(EnvelopedData(contentInfoDER: der)))
        let shares = try await Self.shares(whole)
        let inner = try whole.open(with: shares)
        for length in stride(from: 0, to: der.count, by: 17) {
            #expect(throws: PKIMessageError.self) { try EnvelopedData(contentInfoDER: Array(der.prefix(length))) }
        }
        for position in stride(from: 0, to: der.count, by: 7) {
            var changed = der
            changed[position] ^= 0x41
            do {
                guard let read = try ThresholdEnvelope(EnvelopedData(contentInfoDER: changed)) else { continue }
                for share in shares { try read.check(share, from: "x") }
                try #expect(read.open(with: shares) == inner, "byte \(position)")
            } catch {
                #expect(error is PKIMessageError || error is ArchivalError, "byte \(position): \(error)")
            }
        }
    }

    private static func shares(_ envelope: ThresholdEnvelope) async throws -> [KeyShare] {
        try envelope.shares.prefix(2).map { sealed in
            for key in try TestKey.agents {
                let agent = try PrivateKeyInfo(derEncoded: key.privateKey)
                guard
                    let contentKey = try? agent.decrypt(
                        sealed.recipient.encryptedKey, transport: sealed.recipient.keyEncryption)
                else { continue }  // another agent's
                return try KeyShare(sealed.message, contentEncryptionKey: contentKey)
            }
            throw ArchivalError.of(.noRecoveryKey)
        }
    }
}
