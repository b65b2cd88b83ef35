/// The bytes of a hexadecimal text; blanks and line ends are skipped.
///
/// - Returns: `nil` for anything else.
package func bytes(hex text: String) -> [UInt8]? {
    let digits = text.utf8.filter { $0 != 0x20 && $0 != 0x0A }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var result: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else {
            return nil
        }
        result.append(byte)
    }
    return result
}

extension [UInt8] {
    /// Lower-case hexadecimal digits.
    package var hex: String {
        self.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Every proper prefix and every single-bit flip: what a strict parser has to survive.
    package var damaged: [[UInt8]] {
        let prefixes = self.indices.map { Array(self[..<$0]) }
        let flips = self.indices.map { index in
            var copy = self
            copy[index] ^= 1 << UInt8(index % 8)
            return copy
        }
        return prefixes + flips
    }
}
