/// Bytes that are not the DER they should be.
struct DERFault: Error, Equatable {
    /// What was expected, as a clause.
    let expected: String
}

/// Reads one level of DER (X.690, section 10) from the front. Strict: definite and minimal lengths only, and
/// ``end()`` refuses what is left over. Does not recurse, so depth is the caller's.
struct DERReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.rest = bytes
    }

    /// The tag of the next element, `nil` at the end.
    var nextTag: UInt8? { self.rest.first }

    /// Takes an element with this tag off the front.
    ///
    /// - Returns: the whole element with tag and length, and its content.
    mutating func element(
        _ tag: UInt8, _ expected: String
    ) throws(DERFault) -> (
        whole: ArraySlice<UInt8>, content: ArraySlice<UInt8>
    ) {
        let start = self.rest.startIndex
        guard self.rest.first == tag, self.rest.count >= 2 else { throw DERFault(expected: expected) }
        var contentStart = start + 2
        var length = Int(self.rest[start + 1])
        if length >= 0x80 {
            let count = length & 0x7F
            guard (1...3).contains(count), self.rest.count >= 2 + count else { throw DERFault(expected: expected) }
            length = self.rest[contentStart..<(contentStart + count)].reduce(0) { $0 << 8 | Int($1) }
            contentStart += count
            // Minimal: no long form for a short length, no leading zero.
            guard length >= 0x80, length >> (8 * (count - 1)) != 0 else { throw DERFault(expected: expected) }
        }
        guard self.rest.endIndex - contentStart >= length else { throw DERFault(expected: expected) }
        let end = contentStart + length
        defer { self.rest = self.rest[end...] }
        return (self.rest[start..<end], self.rest[contentStart..<end])
    }

    /// The magnitude of a positive INTEGER without leading zeros.
    mutating func positiveInteger(_ expected: String) throws(DERFault) -> [UInt8] {
        let content = try self.element(0x02, expected).content
        guard let first = content.first, first < 0x80 else { throw DERFault(expected: expected) }
        guard first == 0 else { return Array(content) }
        let magnitude = content.dropFirst()
        guard let second = magnitude.first, second >= 0x80 else { throw DERFault(expected: expected) }
        return Array(magnitude)
    }

    /// Refuses bytes that nobody read.
    func end() throws(DERFault) {
        guard self.rest.isEmpty else { throw DERFault(expected: "no further bytes") }
    }
}
