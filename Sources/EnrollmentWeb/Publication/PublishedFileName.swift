/// The name of a file at a publication point: `Example CA.crt`, `Example CA(1).crl`.
///
/// The number in parentheses is what the tokens `%4` (certificate) and `%8` (key) of publication URLs expand to;
/// none means 0. Only `.crt` and `.crl` exist, and a name cannot leave its directory.
package struct PublishedFileName: Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// A DER certificate (`application/pkix-cert`, RFC 2585, section 4.1).
        case certificate = "crt"
        /// A DER CRL (`application/pkix-crl`, RFC 2585, section 4.2).
        case crl

        package var mediaType: String {
            switch self {
            case .certificate: "application/pkix-cert"
            case .crl: "application/pkix-crl"
            }
        }
    }

    /// The whole name, as it would stand in a directory.
    package let text: String
    /// Without number and suffix.
    package let stem: String
    package let index: Int
    package let kind: Kind

    /// - Parameter text: percent-decoded. A slash stands for `_`, as in the names of published files.
    /// - Returns: `nil` for a name that cannot be published: empty, over 255 bytes, hidden, with a backslash or a
    ///   control character, or with another suffix.
    package init?(_ text: String) {
        let text = PublishedFileName.stem(ofCA: text)
        guard let dot = text.lastIndex(of: "."), let kind = Kind(rawValue: text[text.index(after: dot)...].lowercased())
        else { return nil }
        let base = text[..<dot]
        guard !base.isEmpty, !base.hasPrefix("."), text.utf8.count <= 255,
            !text.unicodeScalars.contains(where: { $0 == "\\" || $0.value < 0x20 || $0.value == 0x7F })
        else { return nil }
        self.text = text
        self.kind = kind
        (self.stem, self.index) = PublishedFileName.split(base)
    }

    /// A CA's name as it stands in the names of its files.
    static func stem(ofCA name: String) -> String {
        String(name.map { $0 == "/" ? "_" : $0 })
    }

    private static func split(_ base: Substring) -> (String, Int) {
        guard base.hasSuffix(")"), let open = base.lastIndex(of: "("), open != base.startIndex else {
            return (String(base), 0)
        }
        let digits = base[base.index(after: open)...].dropLast()
        guard (1...6).contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let index = Int(digits)
        else { return (String(base), 0) }
        return (String(base[..<open]), index)
    }
}
