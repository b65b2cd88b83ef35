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

    /// Lends the numbers of a PrivateKeyInfo that holds an RSA key.
    ///
    /// - Throws: ``PKIMessageError``: `signatureOnlyKey` for a key that is not RSA, `malformed`.
    static func withNumbers<R>(
        ofPrivateKeyInfo privateKeyInfo: SecretBytes, _ body: (RSAPrivateNumbers) throws -> R
    ) throws -> R {
        try privateKeyInfo.withUnsafeBytes { buffer in
            var outer = try Reader(buffer).constructed(0x30, what: self.what)
            guard try outer.primitive(0x02, what: self.what).elementsEqual([0]) else {
                throw PKIMessageError.malformed(self.what, "its PrivateKeyInfo has an unknown version")
            }
            guard try outer.whole(0x30, what: self.what).elementsEqual(self.algorithm) else {
                throw PKIMessageError.signatureOnlyKey("private key that is not RSA")
            }
            var key = try Reader(outer.primitive(0x04, what: self.what)).constructed(0x30, what: self.what)
            guard try key.primitive(0x02, what: self.what).elementsEqual([0]) else {
                throw PKIMessageError.malformed(self.what, "it has an unknown version or more than two primes")
            }
            var numbers: [RSAPrivateNumbers.Number] = []
            for _ in 0..<8 {
                let content = try key.primitive(0x02, what: self.what)
                guard DERInteger.isMinimalNonNegative(content) else {
                    throw PKIMessageError.malformed(self.what, "one of its numbers is negative or not minimal")
                }
                numbers.append(RSAPrivateNumbers.Number(bytes: content, order: .bigEndian))
            }
            try key.requireEnd(what: self.what)
            return try body(
                RSAPrivateNumbers(
                    modulus: numbers[0], publicExponent: numbers[1], privateExponent: numbers[2], prime1: numbers[3],
                    prime2: numbers[4], exponent1: numbers[5], exponent2: numbers[6], coefficient: numbers[7]))
        }
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
        1 + self.lengthOctets(content).count + content
    }

    /// The length octets (X.690, section 10.1).
    private static func lengthOctets(_ length: Int) -> [UInt8] {
        guard length >= 0x80 else { return [UInt8(length)] }
        let octets = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }.reversed().drop { $0 == 0 }
        return [0x80 | UInt8(octets.count)] + octets
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
            self.append(identifier)
            self.append(RSAPrivateKeyDER.lengthOctets(content))
        }
    }
}

extension RSAPrivateKeyDER {
    /// Takes the elements of one level, one after the other.
    private struct Reader {
        private let buffer: UnsafeRawBufferPointer
        private var offset = 0

        init(_ buffer: UnsafeRawBufferPointer) {
            self.buffer = buffer
        }

        private mutating func next(_ identifier: UInt8, what: String) throws -> (start: Int, header: DERHeader) {
            guard let header = DERHeader(self.buffer, at: self.offset, end: self.buffer.count),
                header.identifier == identifier
            else { throw PKIMessageError.malformed(what, "an element is missing, or it is not DER") }
            defer { self.offset += header.totalBytes }
            return (self.offset, header)
        }

        /// The element with its header.
        mutating func whole(_ identifier: UInt8, what: String) throws -> UnsafeRawBufferPointer {
            let (start, header) = try self.next(identifier, what: what)
            return UnsafeRawBufferPointer(rebasing: self.buffer[start..<start + header.totalBytes])
        }

        /// The content of the element.
        mutating func primitive(_ identifier: UInt8, what: String) throws -> UnsafeRawBufferPointer {
            let (start, header) = try self.next(identifier, what: what)
            return UnsafeRawBufferPointer(rebasing: self.buffer[start + header.headerBytes..<start + header.totalBytes])
        }

        /// The inside of the only element of this level.
        func constructed(_ identifier: UInt8, what: String) throws -> Reader {
            var reader = self
            let inside = Reader(try reader.primitive(identifier, what: what))
            try reader.requireEnd(what: what)
            return inside
        }

        func requireEnd(what: String) throws {
            guard self.offset == self.buffer.count else {
                throw PKIMessageError.trailingBytes(what, count: self.buffer.count - self.offset)
            }
        }
    }
}
