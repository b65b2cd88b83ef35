import CLibCrypto
package import SecretMemory

/// Content encryption: block ciphers in CBC mode with the padding of RFC 5652, section 6.3, and AES key wrap with
/// padding (RFC 5649).
package struct SymmetricCipher: Hashable, Sendable {
    /// What the cipher is called in an error.
    let name: String
    package let keyBytes: Int
    package let blockBytes: Int

    package static let aes256CBC = SymmetricCipher(name: "AES-256-CBC", keyBytes: 32, blockBytes: 16)
    package static let aes192CBC = SymmetricCipher(name: "AES-192-CBC", keyBytes: 24, blockBytes: 16)
    package static let aes128CBC = SymmetricCipher(name: "AES-128-CBC", keyBytes: 16, blockBytes: 16)
    /// For messages of the Windows Server 2003 kind.
    package static let desEDE3CBC = SymmetricCipher(name: "DES-EDE3-CBC", keyBytes: 24, blockBytes: 8)

    /// - Parameter iv: the initialization vector, one block long and never used twice with the same key.
    /// - Throws: ``PKIMessageError`` with `invalidValue` for a key or vector of another length.
    package func encrypt(_ plaintext: SecretBytes, key: SecretBytes, iv: [UInt8]) throws -> [UInt8] {
        try self.check(key: key, iv: iv)
        return try plaintext.withUnsafeBytes { input in
            var output = [UInt8](repeating: 0, count: input.count + self.blockBytes)
            let written = try output.withUnsafeMutableBytes { buffer in
                try CipherRun(self.evp, key: key, iv: iv, encrypting: true, what: self.name).run(input, into: buffer)
            }
            return Array(output.prefix(written))
        }
    }

    /// - Throws: ``PKIMessageError`` with `decryptionFailed` when the ciphertext is not whole blocks or the padding is
    ///   wrong, in the same words; `invalidValue` for a key or vector of another length.
    package func decrypt(_ ciphertext: [UInt8], key: SecretBytes, iv: [UInt8]) throws -> SecretBytes {
        try self.check(key: key, iv: iv)
        guard !ciphertext.isEmpty, ciphertext.count.isMultiple(of: self.blockBytes) else {
            throw PKIMessageError.decryptionFailed("encrypted content")
        }
        return try SecretBytes(capacity: ciphertext.count + self.blockBytes) { buffer in
            let run = try CipherRun(self.evp, key: key, iv: iv, encrypting: false, what: self.name)
            return try ciphertext.withUnsafeBytes { try run.run($0, into: buffer) }
        }
    }

    /// AES-256 key wrap with padding (RFC 5649, section 4.1).
    ///
    /// - Parameter key: the key-encryption key, 32 bytes.
    package static func aesKeyWrapPadded(_ plaintext: SecretBytes, under key: SecretBytes) throws -> [UInt8] {
        try self.checkWrappingKey(key)
        return try self.wrap(plaintext, under: key)
    }

    /// - Throws: ``PKIMessageError`` with `decryptionFailed` when the integrity check of RFC 5649, section 4.2, fails.
    package static func aesKeyUnwrapPadded(_ wrapped: [UInt8], under key: SecretBytes) throws -> SecretBytes {
        try self.checkWrappingKey(key)
        return try self.unwrap(wrapped, under: key)
    }

    /// The vectors of RFC 5649 have a 192-bit key, so this takes one, too.
    static func wrap(_ plaintext: SecretBytes, under key: SecretBytes) throws -> [UInt8] {
        try plaintext.withUnsafeBytes { input in
            // The plaintext padded to 8, and the 8 bytes of the integrity check.
            var output = [UInt8](repeating: 0, count: (input.count + 7) / 8 * 8 + 8)
            let written = try output.withUnsafeMutableBytes { buffer in
                try CipherRun(self.wrapCipher(key), key: key, iv: nil, encrypting: true, what: Self.wrapName).run(
                    input, into: buffer)
            }
            return Array(output.prefix(written))
        }
    }

    static func unwrap(_ wrapped: [UInt8], under key: SecretBytes) throws -> SecretBytes {
        guard wrapped.count >= 16, wrapped.count.isMultiple(of: 8) else {
            throw PKIMessageError.decryptionFailed("wrapped key")
        }
        return try SecretBytes(capacity: wrapped.count) { buffer in
            let run = try CipherRun(self.wrapCipher(key), key: key, iv: nil, encrypting: false, what: Self.wrapName)
            return try wrapped.withUnsafeBytes { try run.run($0, into: buffer) }
        }
    }

    private static func wrapCipher(_ key: SecretBytes) -> OpaquePointer? {
        key.count == 24 ? EVP_aes_192_wrap_pad() : EVP_aes_256_wrap_pad()
    }

    private static let wrapName = "AES key wrap with padding"

    private static func checkWrappingKey(_ key: SecretBytes) throws {
        guard key.count == 32 else {
            throw PKIMessageError.invalidValue(self.wrapName, "the key has \(key.count) bytes instead of 32")
        }
    }

    private func check(key: SecretBytes, iv: [UInt8]) throws {
        guard key.count == self.keyBytes, iv.count == self.blockBytes else {
            throw PKIMessageError.invalidValue(
                self.name,
                "key and vector have \(key.count) and \(iv.count) bytes instead of "
                    + "\(self.keyBytes) and \(self.blockBytes)")
        }
    }

    private var evp: OpaquePointer? {
        switch self {
        case .aes256CBC: EVP_aes_256_cbc()
        case .aes192CBC: EVP_aes_192_cbc()
        case .aes128CBC: EVP_aes_128_cbc()
        default: EVP_des_ede3_cbc()
        }
    }
}

/// One `EVP_CIPHER_CTX`, used once.
private final class CipherRun {
    private let context: OpaquePointer
    private let encrypting: Bool
    private let what: String

    init(_ cipher: OpaquePointer?, key: SecretBytes, iv: [UInt8]?, encrypting: Bool, what: String) throws {
        self.context = try LibCrypto.require(EVP_CIPHER_CTX_new(), what)
        self.encrypting = encrypting
        self.what = what
        signet_EVP_CIPHER_CTX_allow_wrap(self.context)
        let result = key.withUnsafeBytes { keyBytes in
            EVP_CipherInit_ex(
                self.context, cipher, nil, keyBytes.bindMemory(to: UInt8.self).baseAddress, iv, encrypting ? 1 : 0)
        }
        try LibCrypto.check(result, what)
    }

    deinit {
        // Wipes the key schedule.
        EVP_CIPHER_CTX_free(self.context)
    }

    /// - Returns: how many bytes were written.
    func run(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws -> Int {
        let output = output.bindMemory(to: UInt8.self)
        var written: Int32 = 0
        var last: Int32 = 0
        let good =
            EVP_CipherUpdate(
                self.context, output.baseAddress, &written, input.bindMemory(to: UInt8.self).baseAddress,
                Int32(input.count)) > 0
            && EVP_CipherFinal_ex(self.context, output.baseAddress.map { $0 + Int(written) }, &last) > 0
        guard good else {
            if self.encrypting { throw LibCrypto.failure(self.what) }
            LibCrypto.drainErrors()
            throw PKIMessageError.decryptionFailed("encrypted content")
        }
        return Int(written) + Int(last)
    }
}
