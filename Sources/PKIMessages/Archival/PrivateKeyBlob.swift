package import SecretMemory

/// An RSA private key as CryptoAPI exports it, PRIVATEKEYBLOB (MS-WCCE, section 2.2.2.9.1): what Windows clients send
/// for archival. All numbers are little-endian.
///
///     offset    bytes       content
///     0         8           07 02 00 00 00 A4 00 00: type, version, reserved, CALG_RSA_KEYX
///     8         4           "RSA2"
///     12        4           length of the modulus in bits
///     16        4           public exponent
///     20        bits / 8    modulus
///     ...       bits / 16   each: prime 1, prime 2, exponent 1, exponent 2, coefficient
///     ...       bits / 8    private exponent
///
/// A value exists only for a well-formed key-exchange key whose numbers belong together.
package struct PrivateKeyBlob: Sendable {
    /// The blob, 20 + 9 / 16 of the modulus's bits: 596 bytes for 1024, 1172 for 2048, 2324 for 4096.
    package let bytes: SecretBytes
    package let modulusBits: Int
    package let publicKey: RSAPublicKey

    static let what = "RSA PRIVATEKEYBLOB"
    static let headerBytes = 20
    /// Little-endian CALG_RSA_KEYX; a signature key has CALG_RSA_SIGN.
    private static let keyExchange: UInt32 = 0x0000_A400
    private static let signature: UInt32 = 0x0000_2400
    /// "RSA2", little-endian.
    private static let magic: UInt32 = 0x3241_5352

    static func totalBytes(modulusBits: Int) -> Int {
        self.headerBytes + modulusBits / 16 * 9
    }

    /// - Throws: ``PKIMessageError``: `signatureOnlyKey` for a signature key, `trailingBytes`, `malformed` for anything
    ///   else that is not as above, numbers that do not belong together included.
    package init(_ bytes: SecretBytes) throws {
        let (modulusBits, publicKey) = try bytes.withUnsafeBytes { buffer in
            let modulusBits = try Self.readHeader(buffer)
            let numbers = Self.numbers(in: buffer, modulusBits: modulusBits)
            guard numbers.modulus.bitCount == modulusBits else {
                throw PKIMessageError.malformed(Self.what, "the modulus is shorter than the header says")
            }
            guard try numbers.areConsistent() else {
                throw PKIMessageError.malformed(Self.what, "its numbers do not belong together")
            }
            let publicKey = RSAPublicKey(
                modulus: numbers.modulus.magnitude, publicExponent: numbers.publicExponent.magnitude)
            return (modulusBits, publicKey)
        }
        self.bytes = bytes
        self.modulusBits = modulusBits
        self.publicKey = publicKey
    }

    /// Checks everything before the numbers.
    ///
    /// - Returns: the length of the modulus in bits.
    private static func readHeader(_ buffer: UnsafeRawBufferPointer) throws -> Int {
        guard buffer.count >= self.headerBytes else { throw PKIMessageError.malformed(self.what, "it is truncated") }
        func word(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        guard word(0) == 0x0000_0207 else {
            throw PKIMessageError.malformed(self.what, "its type, version or reserved field is not 07 02 00 00")
        }
        guard word(4) != self.signature else { throw PKIMessageError.signatureOnlyKey(self.what) }
        guard word(4) == self.keyExchange else {
            throw PKIMessageError.malformed(self.what, "its algorithm is not RSA key exchange")
        }
        guard word(8) == self.magic else { throw PKIMessageError.malformed(self.what, "it does not say RSA2") }
        let modulusBits = Int(word(12))
        guard (512...16384).contains(modulusBits), modulusBits % 16 == 0 else {
            throw PKIMessageError.malformed(self.what, "the length of its modulus is not possible")
        }
        let expected = self.totalBytes(modulusBits: modulusBits)
        guard buffer.count >= expected else { throw PKIMessageError.malformed(self.what, "it is truncated") }
        guard buffer.count == expected else {
            throw PKIMessageError.trailingBytes(self.what, count: buffer.count - expected)
        }
        return modulusBits
    }

    /// The numbers in a blob whose length fits `modulusBits`.
    static func numbers(in buffer: UnsafeRawBufferPointer, modulusBits: Int) -> RSAPrivateNumbers {
        var offset = 16
        func next(_ count: Int) -> RSAPrivateNumbers.Number {
            defer { offset += count }
            return RSAPrivateNumbers.Number(
                bytes: UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + count]), order: .littleEndian)
        }
        let publicExponent = next(4)
        let modulus = next(modulusBits / 8)
        let half = modulusBits / 16
        let (prime1, prime2) = (next(half), next(half))
        let (exponent1, exponent2, coefficient) = (next(half), next(half), next(half))
        return RSAPrivateNumbers(
            modulus: modulus, publicExponent: publicExponent, privateExponent: next(modulusBits / 8), prime1: prime1,
            prime2: prime2, exponent1: exponent1, exponent2: exponent2, coefficient: coefficient)
    }

    /// Writes the blob of a key.
    ///
    /// - Throws: ``PKIMessageError`` with `invalidValue` when the key has no such form: a modulus whose length is not a
    ///   multiple of 16 bits, primes of different lengths, an exponent above 32 bits.
    init(_ numbers: RSAPrivateNumbers) throws {
        let modulusBits = numbers.modulus.bitCount
        guard (512...16384).contains(modulusBits), modulusBits % 16 == 0 else {
            throw PKIMessageError.invalidValue(Self.what, "the modulus is \(modulusBits) bits long")
        }
        let half = modulusBits / 16
        let fields: [(RSAPrivateNumbers.Number, Int)] = [
            (numbers.publicExponent, 4), (numbers.modulus, modulusBits / 8), (numbers.prime1, half),
            (numbers.prime2, half), (numbers.exponent1, half), (numbers.exponent2, half),
            (numbers.coefficient, half), (numbers.privateExponent, modulusBits / 8),
        ]
        guard fields.allSatisfy({ number, size in number.significantBytes <= size }) else {
            throw PKIMessageError.invalidValue(Self.what, "one of the key's numbers does not fit its field")
        }
        let total = Self.totalBytes(modulusBits: modulusBits)
        let bytes = try SecretBytes(capacity: total) { buffer in
            for (offset, word) in [(0, 0x0207), (4, Self.keyExchange), (8, Self.magic), (12, UInt32(modulusBits))] {
                buffer.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt32.self)
            }
            var offset = 16
            for (number, size) in fields {
                let significant = number.significantBytes
                for index in 0..<size {
                    buffer[offset + index] = index < significant ? number[index] : 0
                }
                offset += size
            }
            return offset
        }
        try self.init(bytes)
    }
}
