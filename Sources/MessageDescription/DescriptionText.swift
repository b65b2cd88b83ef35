import PKIMessages

/// The lines of a description, with their indentation.
///
/// Text that comes from a message is printed with its control characters made visible, so that it cannot steer a terminal or forge a line.
struct DescriptionText {
    /// How often messages may stand in one another. Deeper ones are shown as bytes.
    static let maximumNesting = 16

    let style: DescriptionStyle
    private(set) var lines: [String] = []
    private(set) var nesting = 0
    private var indentation = 0

    init(style: DescriptionStyle) {
        self.style = style
    }

    /// One line; an empty one has no blanks.
    mutating func line(_ text: String = "") {
        let shown = DescriptionText.visible(text)
        self.lines.append(shown.isEmpty ? "" : String(repeating: " ", count: self.indentation) + shown)
    }

    mutating func indented(by columns: Int = 4, _ body: (inout DescriptionText) throws -> Void) rethrows {
        self.indentation += columns
        defer { self.indentation -= columns }
        try body(&self)
    }

    /// A message inside a message, between its two rulers.
    mutating func nested(_ body: (inout DescriptionText) throws -> Void) rethrows {
        self.nesting += 1
        defer { self.nesting -= 1 }
        self.line("===== Begin Nesting Level \(self.nesting) =====")
        try body(&self)
        self.line("----- End Nesting Level \(self.nesting) -----")
    }

    /// Sixteen bytes a line: offset, bytes, characters.
    mutating func dump(_ bytes: [UInt8]) {
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let row = bytes[start..<min(start + 16, bytes.count)]
            let halves = [row.prefix(8), row.dropFirst(8)].map(DescriptionText.octets)
            let offset = String(start, radix: 16)
            let digits = (halves[0] + (halves[1].isEmpty ? "" : "  " + halves[1]))
            let padded = digits + String(repeating: " ", count: max(0, 48 - digits.count))
            let characters = row.map { (0x20..<0x7F).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
            self.line(
                String(repeating: "0", count: max(0, 4 - offset.count)) + "\(offset)  \(padded)  \(characters)")
        }
    }

    /// Bytes as pairs of digits, `5e 1f 0f`.
    static func octets(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { Hexadecimal.lower(CollectionOfOne($0)) }.joined(separator: " ")
    }

    /// Control characters, and those that change the direction of text, as `\u{1B}`.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: DescriptionText.isHidden) else { return text }
        return text.unicodeScalars.map { scalar in
            DescriptionText.isHidden(scalar)
                ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}" : String(Character(scalar))
        }.joined()
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
        default: false
        }
    }
}
