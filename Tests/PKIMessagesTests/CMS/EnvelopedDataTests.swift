import Diagnostics
import SwiftASN1
import Testing

@testable import PKIMessages

@Suite("CMS EnvelopedData")
struct EnvelopedDataTests {
    static let content = Array("a content to encrypt".utf8)

    /// A message that `openssl cms -encrypt` made for the shared recipient.
    private static func encryptedByOpenSSL(_ cipher: String, _ options: [String] = []) async throws -> [UInt8] {
        let openssl = try OpenSSLJudge()
        try TestIdentities.recipient.get().place(in: openssl)
        try openssl.write(self.content, to: "content")
        try await openssl.run(
            [
                "cms", "-encrypt", "-noindef", "-binary", "-outform", "DER", "-in", "@content", "-out", "@message",
                cipher,
            ]
                + ["-recip", "@certificate.pem"] + options)
        return try openssl.read("message")
    }

    @Test(
        "A message by openssl is read, and its key opens its content",
        arguments: [("-aes256", 32), ("-aes128", 16), ("-des3", 24)],
        [TransportPadding.pkcs1v15, .oaep(.sha1), .oaep(.sha256)])
    func messageByOpenSSL(cipher: (option: String, keyBytes: Int), padding: TransportPadding) async throws {
        let options: [String] =
            switch padding {
            case .pkcs1v15: []
            case .oaep(.sha1): ["-keyopt", "rsa_padding_mode:oaep"]
            case .oaep: ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"]
            }
        let recipient = try TestIdentities.recipient.get()
        let message = try await Self.encryptedByOpenSSL(cipher.option, options)
        let enveloped = try EnvelopedData(contentInfoDER: message)
        #expect(enveloped.version == 0)
        #expect(enveloped.encryptedContentType == OID.data)
        #expect(enveloped.contentEncryptionAlgorithm.keyBytes == cipher.keyBytes)

        let found = try enveloped.recipient(namingOneOf: [TestIdentities.rsa.get().certificate, recipient.certificate])
        #expect(found.certificate.derBytes == recipient.certificateDER)
        #expect(try found.recipient.keyEncryption == padding)
        let key = try recipient.decrypt(found.recipient.encryptedKey, padding)
        #expect(key.count == cipher.keyBytes)
        #expect(try enveloped.contentInfoDER() == message)
    }

    @Test("A recipient named by its key identifier makes version 2")
    func keyIdentifier() async throws {
        let message = try await Self.encryptedByOpenSSL("-aes256", ["-keyid"])
        let enveloped = try EnvelopedData(contentInfoDER: message)
        let recipient = try TestIdentities.recipient.get()
        #expect(enveloped.version == 2)
        #expect(enveloped.recipients.map(\.rid) == [.subjectKeyIdentifier(recipient.publicKey.keyIdentifier)])
        _ = try enveloped.recipient(namingOneOf: [recipient.certificate])
        #expect(try enveloped.contentInfoDER() == message)
    }

    @Test("Recipients of other kinds are kept and not used")
    func otherRecipientKinds() async throws {
        let message = try await Self.encryptedByOpenSSL(
            "-aes256",
            ["-pwri_password", "secret", "-secretkey", String(repeating: "00", count: 32), "-secretkeyid", "01"])
        let enveloped = try EnvelopedData(contentInfoDER: message)
        #expect(enveloped.recipientInfos.count == 3)
        #expect(enveloped.recipients.count == 1)
        #expect(try enveloped.contentInfoDER() == message)
    }

    @Test("A message to somebody else has the code for a missing recipient")
    func recipientNotFound() async throws {
        let enveloped = try await EnvelopedData(contentInfoDER: Self.encryptedByOpenSSL("-aes256"))
        let error = #expect(throws: PKIMessageError.self) {
            try enveloped.recipient(namingOneOf: [TestIdentities.rsa.get().certificate])
        }
        #expect(error?.code == .recipientNotFound)
        #expect(error?.hresult.rawValue == 0x8009_100B)
    }

    @Test("OAEP with a label, or with two hashes, is not supported")
    func unusualOAEP() throws {
        let sha256 = AlgorithmIdentifier(algorithm: OID.sha256, parametersDER: AlgorithmIdentifier.null)
        let source = AlgorithmIdentifier(algorithm: OID.pSpecified, parametersDER: [0x04, 0x01, 0x41])
        for (tag, field) in [(UInt(0), sha256), (2, source)] {
            let parameters = try StrictDER.serialize { coder in
                try coder.appendConstructedNode(identifier: .sequence) {
                    try $0.serialize(field, explicitlyTaggedWithIdentifier: .contextSpecific(tag))
                }
            }
            let identifier = AlgorithmIdentifier(algorithm: OID.rsaOAEP, parametersDER: parameters)
            #expect(throws: PKIMessageError.unsupportedAlgorithm("", "")) {
                try TransportPadding(keyEncryptionAlgorithm: identifier)
            }
        }
    }

    @Test("A message without recipients, or without content, is refused")
    func missingParts() throws {
        let empty = try EnvelopedData(
            recipients: [], contentEncryptionAlgorithm: .aes256WrapPad, encryptedContent: [1]
        ).contentInfoDER()
        #expect(throws: PKIMessageError.malformed("", "")) { try EnvelopedData(contentInfoDER: empty) }
    }

    @Test("Damaged messages are refused or read as they are")
    func sweep() async throws {
        let message = try await Self.encryptedByOpenSSL("-aes256", ["-keyopt", "rsa_padding_mode:oaep"])
        Sweep.truncation(message) { _ = try EnvelopedData(contentInfoDER: $0) }
        Sweep.byteFlips(message) { damaged in
            let enveloped = try EnvelopedData(contentInfoDER: damaged)
            for recipient in enveloped.recipients {
                // `try?`: an unknown padding is reported when it is asked for; only a crash would be wrong here.
                _ = try? recipient.keyEncryption
            }
            return try enveloped.contentInfoDER()
        }
    }
}
