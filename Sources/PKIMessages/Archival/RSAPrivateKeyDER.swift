import SecretMemory

/// The DER of an RSA private key, read and written in locked memory without a copy elsewhere.
///
///     PrivateKeyInfo ::= SEQUENCE {            -- RFC 5958, section 2
///         version INTEGER, privateKeyAlgorithm AlgorithmIdentifier, privateKey OCTET STRING, ... }
///     RSAPrivateKey ::= SEQUENCE {             -- RFC 8017, appendix A.1.2
///         version INTEGER (0), modulus, publicExponent, privateExponent, prime1, prime2,
///         exponent1, exponent2, coefficient INTEGER }
enum RSAPrivateKeyDER {
    private static let what = "RSA private key"
    /// SEQUENCE { rsaEncryption, NULL }.
    private static let algorithm: [UInt8] = [
        0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]

    /// Lends the numbers of an RSA key.
    ///
    /// - Throws: ``PKIMessageError``: `signatureOnlyKey` for a key that is not RSA, `malformed`.
    static func withNumbers<R>(
        of privateKey: PrivateKeyInfo, _ body: (RSAPrivateNumbers) throws -> R
    ) throws -> R {
        guard privateKey.algorithm == OID.rsaEncryption else {
            throw PKIMessageError.signatureOnlyKey("private key that is not RSA")
        }
        return try privateKey.derBytes.withUnsafeBytes { buffer in
            var fields = try self.inside(DERFields(buffer), 0x30)
            guard fields.next(0x02) != nil, let algorithm = fields.next(0x30)?.element,
                algorithm.elementsEqual(self.algorithm)
            else { throw PKIMessageError.malformed(self.what, "its algorithm has parameters") }
            var key = try self.inside(self.inside(fields, 0x04), 0x30)
            guard let version = key.next(0x02)?.content, version.elementsEqual([0]) else {
                throw PKIMessageError.malformed(self.what, "it has an unknown version or more than two primes")
            }
            var numbers: [RSAPrivateNumbers.Number] = []
            while let content = key.next(0x02)?.content {
                guard DERInteger.isMinimalNonNegative(content) else {
                    throw PKIMessageError.malformed(self.what, "one of its numbers is negative or not minimal")
                }
                numbers.append(RSAPrivateNumbers.Number(bytes: content, order: .bigEndian))
            }
            guard numbers.count == 8, key.isAtEnd else {
                throw PKIMessageError.malformed(self.what, "it has not exactly eight numbers")
            }
            return try body(
                RSAPrivateNumbers(
                    modulus: numbers[0], publicExponent: numbers[1], privateExponent: numbers[2], prime1: numbers[3],
                    prime2: numbers[4], exponent1: numbers[5], exponent2: numbers[6], coefficient: numbers[7]))
        }
    }

    /// The inside of the last element of a level.
    private static func inside(_ fields: DERFields, _ identifier: UInt8) throws -> DERFields {
        var fields = fields
        guard let field = fields.next(identifier), fields.isAtEnd else {
            throw PKIMessageError.malformed(self.what, "an element is missing, or it is not DER")
        }
        return DERFields(field.content)
    }

    /// Writes a PrivateKeyInfo, version 0 without attributes.
    static func privateKeyInfo(_ numbers: RSAPrivateNumbers) throws -> SecretBytes {
        let fields = [
            numbers.modulus, numbers.publicExponent, numbers.privateExponent, numbers.prime1, numbers.prime2,
            numbers.exponent1, numbers.exponent2, numbers.coefficient,
        ]
        let integers = fields.map { self.totalBytes(content: self.contentBytes($0)) }
        let keyContent = 3 + integers.reduce(0, +)
        let keyTotal = self.totalBytes(content: keyContent)
        let content = 3 + self.algorithm.count + self.totalBytes(content: keyTotal)
        return try SecretBytes(capacity: self.totalBytes(content: content)) { buffer in
            var writer = Writer(buffer: buffer)
            writer.header(0x30, content: content)
            writer.append([0x02, 0x01, 0x00])
            writer.append(self.algorithm)
            writer.header(0x04, content: keyTotal)
            writer.header(0x30, content: keyContent)
            writer.append([0x02, 0x01, 0x00])
            for field in fields {
                let count = self.contentBytes(field)
                writer.header(0x02, content: count)
                for index in (0..<count).reversed() {
                    writer.append(index < field.bytes.count ? field[index] : 0)
                }
            }
            return writer.offset
        }
    }

    /// The length of a number as the content of an INTEGER: with a zero before a set top bit, one byte for zero.
    private static func contentBytes(_ number: RSAPrivateNumbers.Number) -> Int {
        number.bitCount / 8 + 1
    }

    private static func totalBytes(content: Int) -> Int {
        DERHeader.encoded(identifier: 0x30, contentBytes: content).count + content
    }

    private struct Writer {
        let buffer: UnsafeMutableRawBufferPointer
        private(set) var offset = 0

        init(buffer: UnsafeMutableRawBufferPointer) {
            self.buffer = buffer
        }

        mutating func append(_ byte: UInt8) {
            self.buffer[self.offset] = byte
            self.offset += 1
        }

        mutating func append(_ bytes: [UInt8]) {
            bytes.forEach { self.append($0) }
        }

        mutating func header(_ identifier: UInt8, content: Int) {
            self.append(DERHeader.encoded(identifier: identifier, contentBytes: content))
        }
    }
}
