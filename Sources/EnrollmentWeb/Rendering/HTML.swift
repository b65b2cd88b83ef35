/// A fragment of HTML. Whatever is interpolated as text is escaped; only another ``HTML`` goes in as it is, so that
/// a value cannot become markup by being forgotten.
struct HTML: ExpressibleByStringInterpolation, Sendable, Equatable {
    let source: String

    private init(source: String) {
        self.source = source
    }

    init(stringLiteral value: String) {
        self.source = value
    }

    init(stringInterpolation: StringInterpolation) {
        self.source = stringInterpolation.source
    }

    /// Text, escaped.
    init(text: String) {
        self.source = HTML.escape(text)
    }

    static func joined(_ fragments: [HTML]) -> HTML {
        HTML(source: fragments.map(\.source).joined())
    }

    /// Escapes what has a meaning in HTML, in text and in quoted attributes, and turns control characters into
    /// blanks, because line ends and tabs are marks that clients of the error pages look for.
    static func escape(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var source = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            self.source.reserveCapacity(literalCapacity + interpolationCount * 32)
        }

        mutating func appendLiteral(_ literal: String) {
            self.source += literal
        }

        mutating func appendInterpolation(_ text: String) {
            self.source += HTML.escape(text)
        }

        mutating func appendInterpolation(_ number: some BinaryInteger) {
            self.source += String(number)
        }

        mutating func appendInterpolation(_ fragment: HTML) {
            self.source += fragment.source
        }
    }
}
