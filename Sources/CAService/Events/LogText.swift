import Foundation

/// Text of others in lines of ours.
package enum LogText {
    /// Without line ends and other control characters, so that what a requester has written cannot pass for a line of ours
    /// or command a terminal: they are written as in C and Swift.
    package static func onOneLine(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { line, scalar in
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case _ where LogText.isControl(scalar): line += String(format: "\\u{%X}", scalar.value)
            default: line.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        [.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
    }
}
