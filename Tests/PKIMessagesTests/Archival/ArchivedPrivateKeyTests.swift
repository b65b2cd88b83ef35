import Diagnostics
import SecretMemory
import SwiftASN1
import Testing

@testable import PKIMessages

@Suite("Private keys in an EnvelopedData")
struct ArchivedPrivateKeyTests {
    static let encryptions: [PrivateKeyEncryption] = [.aesKeyWrapPadded, .aes256CBC, .microsoft2003]
    private let user: TestIdentity
    private let recipient: TestIdentity

    init() throws {
        self.user = try TestIdentities.user.get()
        self.recipient = try TestIdentities.recipient.get()
    }

    private func seal(
        _ encryption: PrivateKeyEncryption, _ transport: TransportPadding = .pkcs1v15,
        to recipients: [TestIdentity]? = nil
    ) throws -> EnvelopedData {
        try EnvelopedData.sealing(
            privateKey: SecretBytes(copying: self.user.keyDER),
            to: (recipients ?? [self.recipient]).map(\.certificate), encryption: encryption, transport: transport,
            random: LibCrypto.randomBytes)
    }

    private func contentEncryptionKey(_ enveloped: EnvelopedData, _ identity: TestIdentity) throws -> SecretBytes {
        let found = try enveloped.recipient(namingOneOf: [identity.certificate]).recipient
        return try SecretBytes(copying: identity.decrypt(found.encryptedKey, found.keyEncryption))
    }

    @Test(
        "A sealed key is opened by its recipient's key, in every form and padding", arguments: encryptions,
        [TransportPadding.pkcs1v15, .oaep(.sha1), .oaep(.sha256)])
    func sealAndOpen(encryption: PrivateKeyEncryption, transport: TransportPadding) throws {
        let message = try KeyArchivalMessage.sealForExchange(
            privateKey: SecretBytes(copying: self.user.keyDER), exchangeCertificate: self.recipient.certificate,
            format: encryption, transport: transport, random: LibCrypto.randomBytes)
        let enveloped = try EnvelopedData(contentInfoDER: message)
        #expect(enveloped.version == 0)
        #expect(try enveloped.recipients.map { try $0.keyEncryption } == [transport])
        let opened = try enveloped.openPrivateKey(
            contentEncryptionKey: self.contentEncryptionKey(enveloped, self.recipient))
        #expect(opened.derBytes.withUnsafeBytes { Array($0) } == self.user.keyDER)
        #expect(try opened.matches(self.user.publicKey))
        #expect(try enveloped.contentInfoDER() == message)
    }

    @Test(
        "openssl decrypts the CBC forms", arguments: [PrivateKeyEncryption.aes256CBC, .microsoft2003],
        [TransportPadding.pkcs1v15, .oaep(.sha256)])
    func decryptedByOpenSSL(encryption: PrivateKeyEncryption, transport: TransportPadding) async throws {
        let openssl = try OpenSSLJudge()
        try self.recipient.place(in: openssl)
        try openssl.write(self.seal(encryption, transport).contentInfoDER(), to: "message")
        try await openssl.run(
            "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "@message", "-recip", "@certificate.pem", "-inkey",
            "@key.pem", "-out", "@content")
        let content = try openssl.read("content")
        if encryption == .aes256CBC {
            #expect(content == self.user.keyDER)
        } else {
            #expect(content.count == 596)
            #expect(Array(content.prefix(8)) == [0x07, 0x02, 0x00, 0x00, 0x00, 0xA4, 0x00, 0x00])
        }
        let printed = try await openssl.run("cms", "-cmsout", "-print", "-inform", "DER", "-in", "@message")
        #expect(printed.contains(encryption == .aes256CBC ? "aes-256-cbc" : "des-ede3-cbc"))
    }

    @Test("openssl prints the wrapped form and names its algorithm")
    func wrappedFormPrinted() async throws {
        let openssl = try OpenSSLJudge()
        try openssl.write(self.seal(.aesKeyWrapPadded).contentInfoDER(), to: "message")
        let printed = try await openssl.run("cms", "-cmsout", "-print", "-inform", "DER", "-in", "@message")
        #expect(printed.contains("id-aes256-wrap-pad"))
    }

    @Test("A Windows client's message, a PRIVATEKEYBLOB under triple DES by openssl, is opened")
    func blobByOpenSSL() async throws {
        let openssl = try OpenSSLJudge()
        try self.recipient.place(in: openssl)
        try openssl.write(self.user.keyDER, to: "user.der")
        try await openssl.run("rsa", "-inform", "DER", "-in", "@user.der", "-outform", "MSBLOB", "-out", "@user.blob")
        for cipher in ["-des3", "-aes128", "-aes256"] {
            try await openssl.run(
                "cms", "-encrypt", "-noindef", "-binary", "-outform", "DER", "-in", "@user.blob", "-out", "@message",
                cipher, "@certificate.pem")
            let enveloped = try EnvelopedData(contentInfoDER: openssl.read("message"))
            let opened = try enveloped.openPrivateKey(
                contentEncryptionKey: self.contentEncryptionKey(enveloped, self.recipient))
            #expect(opened.derBytes.withUnsafeBytes { Array($0) } == self.user.keyDER)
        }
    }

    @Test("Each of several recipients opens the same key")
    func severalRecipients() throws {
        let second = try TestIdentities.rsa.get()
        let enveloped = try self.seal(.aes256CBC, to: [self.recipient, second])
        for identity in [self.recipient, second] {
            let opened = try enveloped.openPrivateKey(
                contentEncryptionKey: self.contentEncryptionKey(enveloped, identity))
            #expect(try opened.matches(self.user.publicKey))
        }
    }

    @Test("Up to 7 zero bytes behind a wrapped key are cut, other bytes and more zeros are not", arguments: 0...9)
    func zeroPadding(count: Int) throws {
        let key = try SecretBytes(copying: LibCrypto.randomBytes(32))
        func open(_ padding: [UInt8]) throws -> PrivateKeyInfo {
            let wrapped = try SymmetricCipher.aesKeyWrapPadded(
                SecretBytes(copying: self.user.keyDER + padding), under: key)
            return try EnvelopedData(
                recipients: [], contentEncryptionAlgorithm: .aes256WrapPad, encryptedContent: wrapped
            ).openPrivateKey(contentEncryptionKey: key)
        }
        let zeros = [UInt8](repeating: 0, count: count)
        if count <= 7 {
            #expect(try open(zeros).derBytes.count == self.user.keyDER.count)
        } else {
            #expect(throws: PKIMessageError.trailingBytes("", count: 8)) { try open(zeros) }
        }
        #expect(throws: PKIMessageError.trailingBytes("", count: 1)) { try open(zeros + [1]) }
    }

    @Test("A wrong key, and one of the wrong length, open nothing", arguments: encryptions)
    func wrongKey(encryption: PrivateKeyEncryption) throws {
        let enveloped = try self.seal(encryption)
        let right = try self.contentEncryptionKey(enveloped, self.recipient)
        for wrong in [try SecretBytes(copying: LibCrypto.randomBytes(right.count)), try SecretBytes(copying: [1])] {
            let error = #expect(throws: PKIMessageError.self) {
                try enveloped.openPrivateKey(contentEncryptionKey: wrong)
            }
            // CBC with a wrong key can by chance have a right padding; then the content is no key.
            let codes: [PKIMessageError.Code] = [.decryptionFailed, .malformed, .trailingBytes]
            #expect(codes.contains { $0 == error?.code })
        }
    }

    @Test("A content cipher that is not known is named")
    func unknownCipher() throws {
        let enveloped = EnvelopedData(
            recipients: [],
            contentEncryptionAlgorithm: .other(AlgorithmIdentifier(algorithm: [1, 2, 3], parametersDER: nil)),
            encryptedContent: [1])
        #expect(throws: PKIMessageError.unsupportedAlgorithm("", "")) {
            try enveloped.openPrivateKey(contentEncryptionKey: SecretBytes(copying: [1]))
        }
    }

    @Test("A recipient whose key is not RSA cannot be sealed to")
    func recipientWithoutKeyTransport() throws {
        #expect(throws: PKIMessageError.signatureOnlyKey("")) {
            try self.seal(.aes256CBC, to: [TestIdentities.ec.get()])
        }
    }

    @Test("Triple DES keys have odd parity in every byte")
    func parity() throws {
        let enveloped = try self.seal(.microsoft2003)
        let key = try self.contentEncryptionKey(enveloped, self.recipient)
        #expect(key.withUnsafeBytes { $0.allSatisfy { $0.nonzeroBitCount % 2 == 1 } })
    }
}
