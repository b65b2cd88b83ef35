/// Certificate serial numbers: INTEGER content octets (RFC 5280, section 4.1.2.2).
package enum SerialNumber {
    /// The longest that RFC 5280 allows.
    package static let maximumBytes = 20

    /// Upper-case hexadecimal as `openssl x509 -serial` prints it: without a sign octet, "00" for zero, a leading
    /// "-" for the negative numbers that some old certificates have.
    package static func hex(_ content: [UInt8]) -> String {
        guard let first = content.first else { return "" }
        if first & 0x80 != 0 { return "-" + Hexadecimal.upper(self.negated(content)) }
        let magnitude = DERInteger.magnitude(content: content)
        return magnitude.isEmpty ? "00" : Hexadecimal.upper(magnitude)
    }

    /// The content octets of a positive number in hexadecimal; `nil` when `hex` is none.
    package static func content(hex: String) -> [UInt8]? {
        guard let bytes = Hexadecimal.bytes(hex), !bytes.isEmpty else { return nil }
        return DERInteger.content(magnitude: bytes)
    }

    /// - Throws: ``PKIMessageError`` with code `invalidValue` unless `content` is positive, minimal, and at most 20
    ///   octets long.
    static func check(_ content: [UInt8]) throws {
        guard DERInteger.isMinimalNonNegative(content), content != [0], content.count <= self.maximumBytes else {
            throw PKIMessageError.invalidValue(
                "serial number", "it is not a positive number in at most \(self.maximumBytes) octets")
        }
    }

    private static func negated(_ content: [UInt8]) -> [UInt8] {
        var carry = true
        var result = content.map { ~$0 }
        for index in result.indices.reversed() where carry {
            (result[index], carry) = result[index].addingReportingOverflow(1)
        }
        return DERInteger.magnitude(content: result)
    }
}

/// Hexadecimal text.
package enum Hexadecimal {
    package static func upper(_ bytes: some Sequence<UInt8>) -> String {
        self.encode(Array(bytes), letters: UInt8(ascii: "A"))
    }

    package static func lower(_ bytes: some Sequence<UInt8>) -> String {
        self.encode(Array(bytes), letters: UInt8(ascii: "a"))
    }

    /// - Returns: `nil` when `text` has an odd number of digits or another character.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = text.utf8.map { digit in
            switch digit {
            case 0x30...0x39: digit - 0x30
            case 0x41...0x46: digit - 0x41 + 10
            case 0x61...0x66: digit - 0x61 + 10
            default: UInt8.max
            }
        }
        guard digits.count.isMultiple(of: 2), !digits.contains(.max) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static func encode(_ bytes: [UInt8], letters: UInt8) -> String {
        func character(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : letters + digit - 10 }
        return String(unsafeUninitializedCapacity: 2 * bytes.count) { text in
            for (index, byte) in bytes.enumerated() {
                text[2 * index] = character(byte >> 4)
                text[2 * index + 1] = character(byte & 15)
            }
            return 2 * bytes.count
        }
    }
}
