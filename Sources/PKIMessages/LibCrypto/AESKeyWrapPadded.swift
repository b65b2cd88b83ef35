import CLibCrypto
import SecretMemory

/// AES key wrap with padding (RFC 5649), of which libcrypto does the single blocks. Its own wrapping takes seven times as
/// long for the 900 blocks of an RSA-2048 key, because it does them without the processor's AES instructions.
struct AESKeyWrapPadded {
    /// The first half of the alternative initial value; the other half is the length (RFC 5649, section 3).
    private static let marker: UInt64 = 0xA659_59A6
    /// What is wrapped in one step; a block is two of them.
    private static let half = 8
    private static let rounds = 6

    let key: SecretBytes
    /// What it is called in an error.
    let what: String

    /// - Throws: ``PKIMessageError`` with `invalidValue` when there is nothing to wrap.
    func wrap(_ plaintext: SecretBytes) throws -> [UInt8] {
        guard plaintext.count > 0, let length = UInt32(exactly: plaintext.count) else {
            throw PKIMessageError.invalidValue(self.what, "\(plaintext.count) bytes cannot be wrapped")
        }
        let count = (plaintext.count + Self.half - 1) / Self.half * Self.half
        var wrapped: [UInt8] = []
        // Nothing is kept in it: it is for its wiping.
        _ = try SecretBytes(capacity: count + 2 * Self.half) { buffer in
            let content = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            let block = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            plaintext.withUnsafeBytes { content.copyMemory(from: $0) }
            block.storeBytes(of: (Self.marker << 32 | UInt64(length)).bigEndian, as: UInt64.self)
            try self.transform(content, block, encrypting: true)
            wrapped = Array(block[..<Self.half])
            wrapped += content
            return 0
        }
        return wrapped
    }

    /// - Throws: ``PKIMessageError`` with `decryptionFailed` for what this key has not wrapped, whatever is wrong with it.
    func unwrap(_ wrapped: [UInt8]) throws -> SecretBytes {
        guard wrapped.count >= 2 * Self.half, wrapped.count.isMultiple(of: Self.half) else {
            throw PKIMessageError.decryptionFailed("wrapped key")
        }
        let count = wrapped.count - Self.half
        return try SecretBytes(capacity: count + 2 * Self.half) { buffer in
            let content = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            let block = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            block.copyBytes(from: wrapped[..<Self.half])
            content.copyBytes(from: wrapped[Self.half...])
            try self.transform(content, block, encrypting: false)
            let found = UInt64(bigEndian: block.loadUnaligned(as: UInt64.self))
            let length = Int(found & 0xFFFF_FFFF)
            guard found >> 32 == Self.marker, length > count - Self.half, length <= count,
                content[length...].allSatisfy({ $0 == 0 })
            else { throw PKIMessageError.decryptionFailed("wrapped key") }
            return length
        }
    }

    /// All steps of RFC 3394, section 2.2, or of RFC 5649, section 4, for content of a single half.
    ///
    /// - Parameter block: its first half is the initial value, and afterwards the check value.
    private func transform(
        _ content: UnsafeMutableRawBufferPointer, _ block: UnsafeMutableRawBufferPointer, encrypting: Bool
    ) throws {
        let cipher = try BlockCipher(key: self.key, encrypting: encrypting, what: self.what)
        let halves = content.count / Self.half
        func exchange(at offset: Int) throws {
            block.storeBytes(
                of: content.loadUnaligned(fromByteOffset: offset, as: UInt64.self), toByteOffset: Self.half,
                as: UInt64.self)
            try cipher.run(block)
            content.storeBytes(
                of: block.loadUnaligned(fromByteOffset: Self.half, as: UInt64.self), toByteOffset: offset,
                as: UInt64.self)
        }
        func count(_ step: Int) {
            let value = block.loadUnaligned(as: UInt64.self) ^ UInt64(step).bigEndian
            block.storeBytes(of: value, as: UInt64.self)
        }
        guard halves > 1 else { return try exchange(at: 0) }
        let steps = Self.rounds * halves
        for index in 0..<steps {
            let step = encrypting ? index + 1 : steps - index
            if !encrypting { count(step) }
            try exchange(at: (step - 1) % halves * Self.half)
            if encrypting { count(step) }
        }
    }
}

/// AES on single blocks, in place.
private final class BlockCipher {
    private let context: OpaquePointer
    private let what: String

    init(key: SecretBytes, encrypting: Bool, what: String) throws {
        self.context = try LibCrypto.require(EVP_CIPHER_CTX_new(), what)
        self.what = what
        // The vectors of RFC 5649 have a 192-bit key.
        let cipher = key.count == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb()
        let result = key.withUnsafeBytes {
            EVP_CipherInit_ex(
                self.context, cipher, nil, $0.bindMemory(to: UInt8.self).baseAddress, nil, encrypting ? 1 : 0)
        }
        try LibCrypto.check(result, what)
        try LibCrypto.check(EVP_CIPHER_CTX_set_padding(self.context, 0), what)
    }

    deinit {
        // Wipes the key schedule.
        EVP_CIPHER_CTX_free(self.context)
    }

    func run(_ block: UnsafeMutableRawBufferPointer) throws {
        let bytes = block.bindMemory(to: UInt8.self)
        var written: Int32 = 0
        try LibCrypto.check(
            EVP_CipherUpdate(self.context, bytes.baseAddress, &written, bytes.baseAddress, Int32(bytes.count)),
            self.what)
    }
}
