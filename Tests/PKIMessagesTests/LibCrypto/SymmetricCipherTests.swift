import SecretMemory
import TestSupport
import Testing

@testable import PKIMessages

@Suite struct SymmetricCipherTests {
    private func secretHex(_ text: String) throws -> SecretBytes {
        try SecretBytes(copying: #require(bytes(hex: text)))
    }

    @Test(
        "The vectors of RFC 5649, section 6",
        arguments: [
            (
                "c37b7e6492584340bed12207808941155068f738",
                "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"
            ), ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
        ])
    func rfc5649(_ key: String, _ wrapped: String) throws {
        let kek = try self.secretHex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
        let result = try SymmetricCipher.wrap(self.secretHex(key), under: kek)
        #expect(result.hex == wrapped)
        let opened = try SymmetricCipher.unwrap(result, under: kek)
        #expect(opened.exposed.hex == key)
    }

    @Test(
        "AES-256 key wrap with padding is the one of Python's cryptography, for every length",
        arguments: [
            1, 7, 8, 9, 16, 17, 1217,
        ])
    func python(_ count: Int) async throws {
        let kek = try LibCrypto.randomBytes(32)
        let plaintext = try LibCrypto.randomBytes(count)
        let wrapped = try SymmetricCipher.aesKeyWrapPadded(
            SecretBytes(copying: plaintext), under: SecretBytes(copying: kek))
        let expected = try await judge(
            "python3", "-c",
            """
            import sys; from cryptography.hazmat.primitives import keywrap
            k, p = map(bytes.fromhex, sys.argv[1:]); print(keywrap.aes_key_wrap_with_padding(k, p).hex())
            """, kek.hex, plaintext.hex)
        #expect(wrapped.hex + "\n" == expected)
        #expect(
            try SymmetricCipher.aesKeyUnwrapPadded(wrapped, under: SecretBytes(copying: kek)).exposed == plaintext)
    }

    @Test("A wrapped key that was changed or cut, or another key, does not open")
    func damagedWrap() throws {
        let kek = try SecretBytes(copying: LibCrypto.randomBytes(32))
        let wrapped = try SymmetricCipher.aesKeyWrapPadded(secret("a private key"), under: kek)
        for damaged in wrapped.damaged {
            #expect(throws: PKIMessageError.decryptionFailed("")) {
                try SymmetricCipher.aesKeyUnwrapPadded(damaged, under: kek)
            }
        }
        #expect(throws: PKIMessageError.decryptionFailed("")) {
            try SymmetricCipher.aesKeyUnwrapPadded(wrapped, under: SecretBytes(copying: LibCrypto.randomBytes(32)))
        }
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try SymmetricCipher.aesKeyWrapPadded(secret("x"), under: secret("short"))
        }
    }

    @Test("AES-256-CBC gives the first blocks of NIST SP 800-38A, section F.2.5")
    func nistVector() throws {
        let key = try self.secretHex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
        let iv = (0..<16).map { UInt8($0) }
        let plaintext = try self.secretHex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
        let ciphertext = try SymmetricCipher.aes256CBC.encrypt(plaintext, key: key, iv: iv)
        #expect(
            ciphertext.prefix(32).hexText == "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d")
        #expect(ciphertext.count == 48)
        #expect(try SymmetricCipher.aes256CBC.decrypt(ciphertext, key: key, iv: iv).exposed == plaintext.exposed)
    }

    @Test(
        "Every cipher makes what openssl enc makes",
        arguments: [
            (SymmetricCipher.aes256CBC, "-aes-256-cbc"), (.aes128CBC, "-aes-128-cbc"), (.desEDE3CBC, "-des-ede3-cbc"),
        ])
    func openssl(_ cipher: SymmetricCipher, _ name: String) async throws {
        let key = try LibCrypto.randomBytes(cipher.keyBytes)
        let iv = try LibCrypto.randomBytes(cipher.blockBytes)
        for count in [0, 1, 15, 16, 17, 596] {
            let plaintext = try LibCrypto.randomBytes(count)
            let ciphertext = try cipher.encrypt(
                SecretBytes(copying: plaintext), key: SecretBytes(copying: key), iv: iv)
            let expected = try await run(["openssl", "enc", name, "-K", key.hex, "-iv", iv.hex], input: plaintext)
            #expect(ciphertext == expected.stdout)
            #expect(
                try cipher.decrypt(ciphertext, key: SecretBytes(copying: key), iv: iv).exposed == plaintext)
        }
    }

    @Test("Ciphertext that is not whole blocks, wrong padding and a wrong key fail in the same way")
    func badCiphertext() throws {
        let key = try SecretBytes(copying: [UInt8](repeating: 1, count: 32))
        let iv = [UInt8](repeating: 2, count: 16)
        let ciphertext = try SymmetricCipher.aes256CBC.encrypt(secret("sixteen or more bytes"), key: key, iv: iv)
        for wrong in [[], Array(ciphertext.dropLast()), Array(ciphertext.dropLast(16))] {
            #expect(throws: PKIMessageError.decryptionFailed("")) {
                try SymmetricCipher.aes256CBC.decrypt(wrong, key: key, iv: iv)
            }
        }
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try SymmetricCipher.aes256CBC.decrypt(ciphertext, key: key, iv: [1])
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate var hexText: String { Array(self).hex }
}
