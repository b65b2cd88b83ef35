import Diagnostics
import SecretMemory
import TestSupport
import Testing

@testable import PKIMessages

@Suite("CMS PasswordRecipientInfo with scrypt")
struct PasswordRecipientTests {
    static func parameters(cost: Int = 1 << 14) throws -> ScryptParameters {
        try ScryptParameters(salt: Array(0..<16), cost: cost)
    }

    @Test(
        "The scrypt vectors of RFC 7914, section 12",
        arguments: [
            (
                "", "", 16, 1, 1,
                "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                    + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
            ),
            (
                "password", "NaCl", 1024, 8, 16,
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                    + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
            ),
            (
                "pleaseletmein", "SodiumChloride", 16384, 8, 1,
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                    + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
            ),
        ])
    func vectors(
        _ password: String, _ salt: String, _ cost: Int, _ blockSize: Int, _ parallelization: Int, _ expected: String
    ) throws {
        let derived = try ScryptParameters.derive(
            secret(password), salt: Array(salt.utf8), cost: cost, blockSize: blockSize,
            parallelization: parallelization, count: 64)
        #expect(derived.exposed.hex == expected)
    }

    @Test(
        "Parameters that cost too little, or more than a reader should pay, are refused",
        arguments: [
            (1 << 13, 8, 1), (1 << 21, 8, 1), (3 << 14, 8, 1), (1 << 20, 16, 1), (1 << 14, 0, 1), (1 << 14, 8, 17),
        ])
    func bounds(_ cost: Int, _ blockSize: Int, _ parallelization: Int) throws {
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try ScryptParameters(
                salt: Array(0..<16), cost: cost, blockSize: blockSize, parallelization: parallelization)
        }
    }

    @Test("The password opens the key, and another is told as wrong with 0x80070056")
    func passwords() throws {
        let key = try SecretBytes(copying: [UInt8](repeating: 9, count: 32))
        let recipient = try PasswordRecipientInfo(
            wrapping: key, password: secret("correct horse"), derivation: Self.parameters())
        #expect(try recipient.key(password: secret("correct horse")).matches(key))
        let error = #expect(throws: PKIMessageError.self) { try recipient.key(password: secret("correct hors")) }
        #expect(error?.code == .wrongPassword)
        #expect(error?.hresult == .invalidPassword)
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try PasswordRecipientInfo(wrapping: key, password: secret(""), derivation: Self.parameters())
        }
    }

    @Test("A message for a password and a certificate is version 3, and is read as it was written")
    func message() throws {
        let message = try Self.message()
        let read = try EnvelopedData(contentInfoDER: message)
        #expect(read.version == 3)
        #expect(try read.passwordRecipients().count == 1)
        #expect(read.recipients.count == 1)
        #expect(try read.contentInfoDER() == message)
    }

    @Test("A damaged or shortened recipient is refused, or is another recipient written the same")
    func damage() throws {
        let recipient = try PasswordRecipientInfo(
            wrapping: SecretBytes(copying: [UInt8](repeating: 9, count: 32)), password: secret("p"),
            derivation: Self.parameters())
        let bytes = try StrictDER.serialize(recipient)
        func read(_ bytes: [UInt8]) throws -> PasswordRecipientInfo {
            try StrictDER.parse(PasswordRecipientInfo.self, bytes, what: "CMS PasswordRecipientInfo")
        }
        #expect(try read(bytes) == recipient)
        Sweep.truncation(bytes) { _ = try read($0) }
        Sweep.byteFlips(bytes) { try StrictDER.serialize(read($0)) }
    }

    private static func message() throws -> [UInt8] {
        let identity = try TestIdentities.recipient.get()
        let key = try SecretBytes(copying: [UInt8](repeating: 9, count: 32))
        return try EnvelopedData(
            recipients: [
                KeyTransRecipientInfo(
                    rid: .issuerAndSerialNumber(IssuerAndSerialNumber(identity.certificate)),
                    keyEncryption: .oaep(.sha256),
                    encryptedKey: KeyTransport.encrypt(key, to: identity.publicKey, transport: .oaep(.sha256)))
            ],
            passwordRecipients: [
                PasswordRecipientInfo(wrapping: key, password: secret("p"), derivation: Self.parameters())
            ],
            contentEncryptionAlgorithm: .aes256CBC(Array(0..<16)),
            encryptedContent: SymmetricCipher.aes256CBC.encrypt(secret("content"), key: key, iv: Array(0..<16))
        ).contentInfoDER()
    }
}
