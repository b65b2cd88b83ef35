/// The identifier and length octets of one element (X.690, section 8.1.2 and 8.1.3), read in place: nothing is
/// copied, so this also walks over bytes in locked memory.
struct DERHeader {
    /// The first identifier octet.
    let identifier: UInt8
    /// Identifier and length octets together.
    let headerBytes: Int
    let contentBytes: Int

    var isConstructed: Bool { self.identifier & 0x20 != 0 }
    var totalBytes: Int { self.headerBytes + self.contentBytes }

    /// Reads the header at `offset`, or gives `nil` when there is none that is DER or when the content does not
    /// fit before `end`.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int, end: Int) {
        var cursor = offset
        func next() -> UInt8? {
            guard cursor < end else { return nil }
            defer { cursor += 1 }
            return bytes[cursor]
        }
        guard let identifier = next() else { return nil }
        if identifier & 0x1F == 0x1F {
            var octet = next()
            while let value = octet, value & 0x80 != 0 { octet = next() }
            guard octet != nil else { return nil }
        }
        guard let first = next() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            guard (0x81...0x84).contains(first) else { return nil }
            length = 0
            for _ in 0..<(first & 0x7F) {
                guard let octet = next() else { return nil }
                length = length << 8 | Int(octet)
            }
            let minimal = first == 0x81 ? 0x80 : 1 << (8 * (Int(first & 0x7F) - 1))
            guard length >= minimal else { return nil }
        }
        guard length <= end - cursor else { return nil }
        self.identifier = identifier
        self.headerBytes = cursor - offset
        self.contentBytes = length
    }

    /// Walks over all elements: one outermost element, whole, with nothing after it, nested no deeper than allowed.
    static func checkShape(_ bytes: UnsafeRawBufferPointer, what: String, maximumDepth: Int) throws {
        guard let outermost = DERHeader(bytes, at: 0, end: bytes.count) else {
            throw PKIMessageError.malformed(what, "it is truncated, or it is not DER")
        }
        guard outermost.totalBytes == bytes.count else {
            throw PKIMessageError.trailingBytes(what, count: bytes.count - outermost.totalBytes)
        }
        try withUnsafeTemporaryAllocation(of: Int.self, capacity: maximumDepth + 1) { ends in
            // The ends of the open elements, after that of the whole.
            ends.initialize(repeating: bytes.count)
            var depth = 0
            var offset = 0
            while true {
                while depth >= 0, offset == ends[depth] { depth -= 1 }
                guard depth >= 0 else { return }
                guard let header = DERHeader(bytes, at: offset, end: ends[depth]) else {
                    throw PKIMessageError.malformed(what, "an element is truncated, or it is not DER")
                }
                guard header.isConstructed else {
                    offset += header.totalBytes
                    continue
                }
                offset += header.headerBytes
                depth += 1
                guard depth <= maximumDepth else { throw PKIMessageError.tooDeep(what, limit: maximumDepth) }
                ends[depth] = offset + header.contentBytes
            }
        }
    }
}

extension DERHeader {
    /// Identifier and minimal length octets.
    static func encoded(identifier: UInt8, contentBytes: Int) -> [UInt8] {
        guard contentBytes >= 0x80 else { return [identifier, UInt8(contentBytes)] }
        let octets = withUnsafeBytes(of: contentBytes.bigEndian) { Array($0.drop { $0 == 0 }) }
        return [identifier, 0x80 | UInt8(octets.count)] + octets
    }
}
