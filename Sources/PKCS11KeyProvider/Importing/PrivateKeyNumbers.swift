internal import Diagnostics
internal import KeyProvider
internal import PKCS11
internal import SecretMemory

/// The numbers of a DER PrivateKeyInfo as `C_CreateObject` takes them, read in place: no part of the key is copied.
enum PrivateKeyNumbers {
    /// Lends them for the time of `body`.
    ///
    /// - Throws: ``KeyProviderError`` with code `unsupported` for bytes after the key, and for what is neither an RSA key of two primes nor an EC key.
    static func lend<R>(
        _ privateKeyInfo: SecretBytes, of algorithm: KeyAlgorithm, operation: String,
        _ body: ([SecretAttribute]) throws -> R
    ) throws -> R {
        try privateKeyInfo.withUnsafeBytes { bytes in
            var outer = Elements(bytes)
            var info = outer.inside(0x30)
            guard info?.next(0x02) != nil, info?.next(0x30) != nil, let key = info?.next(0x04), outer.isAtEnd else {
                throw self.unreadable(operation)
            }
            var wrapper = Elements(key)
            guard var fields = wrapper.inside(0x30), wrapper.isAtEnd, let version = fields.next(0x02),
                version.count == 1
            else {
                throw self.unreadable(operation)
            }
            guard algorithm.isRSA else {
                guard version[0] == 1, let scalar = fields.next(0x04), scalar.count == algorithm.curve?.fieldBytes
                else {
                    throw self.unreadable(operation)
                }
                return try body([SecretAttribute(.value, scalar)])
            }
            // RFC 8017, appendix A.1.2: modulus and exponents, primes, CRT exponents, coefficient.
            let attributes: [Attribute<[UInt8]>] = [
                .modulus, .publicExponent, .privateExponent, .prime1, .prime2, .exponent1, .exponent2, .coefficient,
            ]
            let numbers = try attributes.map { attribute in
                guard let number = fields.next(0x02), let first = number.first, first < 0x80 else {
                    throw self.unreadable(operation)
                }
                let isPadded = first == 0 && number.count > 1
                // X.690, section 8.3.2: a zero stands before the highest bit and nowhere else.
                guard !isPadded || number[1] >= 0x80 else { throw self.unreadable(operation) }
                return SecretAttribute(
                    attribute, isPadded ? UnsafeRawBufferPointer(rebasing: number.dropFirst()) : number)
            }
            guard version[0] == 0, fields.isAtEnd else { throw self.unreadable(operation) }
            return try body(numbers)
        }
    }

    private static func unreadable(_ operation: String) -> KeyProviderError {
        .unsupported(
            operation: operation, reason: "the private key is neither RSA with two primes nor on a named curve",
            advice: "Import an RSA key, or one on P-256, P-384 or P-521.")
    }

    /// The elements of one level of DER, in place.
    private struct Elements {
        private var rest: Slice<UnsafeRawBufferPointer>

        init(_ bytes: UnsafeRawBufferPointer) {
            self.rest = bytes[...]
        }

        var isAtEnd: Bool { self.rest.isEmpty }

        /// The content of the next element, when it has this tag and a definite, minimal length.
        mutating func next(_ tag: UInt8) -> UnsafeRawBufferPointer? {
            guard self.rest.count >= 2, self.rest.first == tag else { return nil }
            var length = Int(self.rest[self.rest.startIndex + 1])
            var header = 2
            if length >= 0x80 {
                let count = length & 0x7F
                guard (1...3).contains(count), self.rest.count >= 2 + count else { return nil }
                length = self.rest.dropFirst(2).prefix(count).reduce(0) { $0 << 8 | Int($1) }
                guard length >= 0x80, length >> (8 * (count - 1)) != 0 else { return nil }
                header += count
            }
            guard self.rest.count >= header + length else { return nil }
            defer { self.rest = self.rest.dropFirst(header + length) }
            return UnsafeRawBufferPointer(rebasing: self.rest.dropFirst(header).prefix(length))
        }

        mutating func inside(_ tag: UInt8) -> Elements? {
            self.next(tag).map { Elements($0) }
        }
    }
}
