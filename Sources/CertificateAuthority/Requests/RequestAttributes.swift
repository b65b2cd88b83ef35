/// Request attributes as text (MS-WCCE 3.2.1.4.2.1.2, `pwszAttributes`; the web form's `CertAttrib`).
///
/// One `Name:Value` a line, LF or CRLF. Blanks and hyphens in a name do not count, nor does its case; a line without
/// a colon or without a name is skipped, as the specification has it.
package struct RequestAttributes: Sendable, Equatable {
    /// The longest text the database keeps (MS-CSRA, `Request_Attributes`).
    package static let maximumBytes = 32768

    /// In the order received; names in lower case without blanks and hyphens.
    package let pairs: [(name: String, value: String)]

    package init(_ text: String) {
        self.pairs = RequestAttributes.lines(of: text).compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let name = RequestAttributes.canonicalName(line[..<colon])
            guard !name.isEmpty else { return nil }
            return (name, RequestAttributes.trimmed(line[line.index(after: colon)...]))
        }
    }

    /// Without empty ones.
    private static func lines(of text: String) -> [Substring] {
        // Asking Unicode where a character ends takes long; in ASCII every byte is one, but for CR with LF.
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return text.split(whereSeparator: \.isNewline) }
        return text.utf8.split { (0x0A...0x0D).contains($0) }.map(Substring.init)
    }

    /// Every value given for a name.
    package func values(of name: String) -> [String] {
        let canonical = RequestAttributes.canonicalName(name[...])
        return self.pairs.filter { $0.name == canonical }.map(\.value)
    }

    /// The text as it is stored and recorded: the value of `Challenge`, a password, is left out.
    static func withoutSecrets(_ text: String) -> String {
        // Nearly every text has no such line, and is taken as it is.
        if text.utf8.allSatisfy({ $0 < 0x80 && !(0x0B...0x0D).contains($0) }),
            !RequestAttributes(text).pairs.contains(where: { $0.name == "challenge" })
        {
            return text
        }
        return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            guard let colon = line.firstIndex(of: ":"),
                RequestAttributes.canonicalName(line[..<colon]) == "challenge"
            else { return String(line) }
            return line[...colon] + "(withheld)"
        }.joined(separator: "\n")
    }

    /// A name as it is compared.
    static func canonicalName(_ name: Substring) -> String {
        // Nearly every name is ASCII, and asking Unicode about each character takes long.
        if let ascii = self.canonicalASCII(name) { return ascii }
        return name.lowercased().filter { !$0.isWhitespace && $0 != "-" }
    }

    /// The same for ASCII; `nil` for other text.
    private static func canonicalASCII(_ name: Substring) -> String? {
        var canonical: [UInt8] = []
        canonical.reserveCapacity(name.utf8.count)
        for byte in name.utf8 {
            switch byte {
            // What `Character.isWhitespace` has of ASCII, and the hyphen.
            case 0x09...0x0D, 0x20, 0x2D: continue
            case 0x41...0x5A: canonical.append(byte + 0x20)
            case 0..<0x80: canonical.append(byte)
            default: return nil
            }
        }
        return String(decoding: canonical, as: UTF8.self)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    package static func == (lhs: RequestAttributes, rhs: RequestAttributes) -> Bool {
        lhs.pairs.elementsEqual(rhs.pairs) { $0 == $1 }
    }
}
