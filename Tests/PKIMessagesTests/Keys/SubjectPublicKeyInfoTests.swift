import TestSupport
import Testing

@testable import PKIMessages

@Suite struct SubjectPublicKeyInfoTests {
    @Test("The key identifier is the SHA-1 of the BIT STRING's content, as openssl computes it")
    func keyIdentifier() async throws {
        let ca = try SoftwareCA()
        let printed = try await judge(
            "openssl", "x509", "-inform", "DER", "-noout", "-ext", "subjectKeyIdentifier",
            input: ca.certificate.derBytes)
        let expected = printed.split(separator: "\n").last?.filter(\.isHexDigit).lowercased()
        #expect(ca.publicKey.keyIdentifier.hex == expected)
        #expect(ca.publicKey.sha256.count == 32)
    }

    @Test("A key of an unknown algorithm is carried, and only using it is refused")
    func unknownAlgorithm() throws {
        // 1.2.3.4 without parameters, and three octets of key.
        let der: [UInt8] = [0x30, 0x0B, 0x30, 0x05, 0x06, 0x03, 0x2A, 0x03, 0x04, 0x03, 0x02, 0x00, 0x55]
        let info = try SubjectPublicKeyInfo(derEncoded: der)
        #expect(info.derBytes == der)
        #expect(info.keyBits == [0x55])
        #expect(throws: PKIMessageError.unsupportedAlgorithm("", "")) {
            try info.isValidSignature([], over: [], algorithm: .sha256WithRSA)
        }
        #expect(throws: PKIMessageError.signatureOnlyKey("")) {
            try KeyTransport.encrypt([1], to: info, transport: .pkcs1v15)
        }
    }

    @Test("Unused bits in the BIT STRING of a key are refused")
    func unusedBits() {
        let der: [UInt8] = [0x30, 0x0B, 0x30, 0x05, 0x06, 0x03, 0x2A, 0x03, 0x04, 0x03, 0x02, 0x01, 0x54]
        #expect(throws: PKIMessageError.malformed("", "")) { try SubjectPublicKeyInfo(derEncoded: der) }
    }

    @Test("RSA keys with an even or negative number, the exponent 1, or a modulus beyond 16384 bits are refused")
    func badRSAKeys() throws {
        let good = [UInt8](repeating: 0xC1, count: 128)
        func info(_ modulus: [UInt8], _ exponent: [UInt8]) throws -> SubjectPublicKeyInfo {
            try SubjectPublicKeyInfo(rsa: RSAPublicKey(modulus: modulus, publicExponent: exponent))
        }
        #expect(try info(good, [1, 0, 1]).keySizeBits == 1024)
        #expect(try info(good, [1, 0, 1]).rsaPublicKey?.publicExponent == [1, 0, 1])
        for (modulus, exponent) in [(good, [1]), (good, [2]), (good + [2], [1, 0, 1])] as [([UInt8], [UInt8])] {
            #expect(throws: PKIMessageError.malformed("", "")) { try info(modulus, exponent) }
        }
        #expect(throws: PKIMessageError.tooLarge("", bytes: 0, limit: 0)) {
            try info([UInt8](repeating: 0xC1, count: 2049), [3])
        }
        #expect(throws: PKIMessageError.tooLarge("", bytes: 0, limit: 0)) {
            try info(good, [UInt8](repeating: 0xFF, count: 9))
        }
        let negative: [UInt8] = [0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x03]
        #expect(throws: PKIMessageError.malformed("", "")) {
            try StrictDER.parse(RSAPublicKey.self, negative, what: "key")
        }
    }

    @Test(
        "What is encrypted to a key opens with its private half, in both paddings",
        arguments: [
            TransportPadding.pkcs1v15, .oaep(.sha1), .oaep(.sha256),
        ])
    func keyTransport(_ transport: TransportPadding) throws {
        let key = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(.rsa(bits: 2048)))
        let info = try key.subjectPublicKeyInfo()
        let plaintext = try LibCrypto.randomBytes(32)
        let ciphertext = try KeyTransport.encrypt(plaintext, to: info, transport: transport)
        #expect(ciphertext.count == 256)
        #expect(try key.decrypt(ciphertext, transport: transport).exposed == plaintext)
        #expect(throws: PKIMessageError.decryptionFailed("")) {
            try key.decrypt(ciphertext, transport: .oaep(.sha512))
        }
        #expect(throws: PKIMessageError.libcryptoFailed("", reasons: [])) {
            try KeyTransport.encrypt([UInt8](repeating: 1, count: 257), to: info, transport: transport)
        }
    }
}
