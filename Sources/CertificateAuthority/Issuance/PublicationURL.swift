/// Addresses of CRLs and CA certificates with the tokens of Certificate Services (protocols.md 5.3).
///
/// `%3` is the CA's name, `%4` the suffix of the CA certificate, `%8` the suffix of the CA key; `%%` is a percent
/// sign. A URL escape is written with two: `%%20`.
package enum PublicationURL {
    /// Fills the tokens in. In a URL the name's blanks and reserved characters are escaped (RFC 3986, section 2.1);
    /// in a file name `/` and NUL become `_`.
    ///
    /// - Throws: ``IssuanceError`` with code `invalidConfiguration` for another token.
    package static func expand(
        _ pattern: String, caName: String, certificateIndex: Int, keyIndex: Int, isFileName: Bool = false
    ) throws -> String {
        var expanded = ""
        var rest = pattern[...]
        while let percent = rest.firstIndex(of: "%") {
            expanded += rest[..<percent]
            let next = rest.index(after: percent)
            guard next < rest.endIndex else { throw self.unknownToken("%", in: pattern) }
            switch rest[next] {
            case "3": expanded += isFileName ? self.fileName(caName) : self.escaped(caName)
            case "4": expanded += self.suffix(certificateIndex)
            case "8": expanded += self.suffix(keyIndex)
            case "%": expanded += "%"
            default: throw self.unknownToken("%\(rest[next])", in: pattern)
            }
            rest = rest[rest.index(after: next)...]
        }
        return expanded + rest
    }

    /// Nothing for the first, `(n)` for the n-th renewal.
    private static func suffix(_ index: Int) -> String {
        index == 0 ? "" : "(\(index))"
    }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(Character(Unicode.Scalar(byte)))
            default: result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }

    private static func fileName(_ text: String) -> String {
        String(text.map { $0 == "/" || $0 == "\0" ? "_" : $0 })
    }

    private static func unknownToken(_ token: String, in pattern: String) -> IssuanceError {
        .invalidConfiguration(
            "the publication address \"\(pattern)\"", "\(token) is none of the tokens %3, %4, %8 and %%")
    }
}
