import SwiftASN1
import X509

extension DistinguishedNameText {
    /// Reads RFC 4514, section 3, from left to right.
    struct Scanner {
        private var rest: Substring.UnicodeScalarView

        init(_ text: String) {
            self.rest = text[...].unicodeScalars
        }

        /// Takes `separator` when it comes next; at the end of the text gives false.
        mutating func take(_ separator: Unicode.Scalar) throws -> Bool {
            guard let next = self.rest.first else { return false }
            guard next == separator else {
                // `,` after the last attribute of a multi-valued name is the outer loop's.
                if separator == "+", next == "," { return false }
                throw PKIMessageError.invalidValue("distinguished name", "a separator is missing before \"\(next)\"")
            }
            self.rest.removeFirst()
            return true
        }

        /// attributeTypeAndValue = attributeType EQUALS attributeValue
        mutating func attribute() throws -> RelativeDistinguishedName.Attribute {
            while self.rest.first == " " { self.rest.removeFirst() }
            guard let equals = self.rest.firstIndex(of: "=") else {
                throw PKIMessageError.invalidValue("distinguished name", "\"\(String(self.rest))\" has no \"=\"")
            }
            let type = try AttributeType.named(String(self.rest[..<equals]))
            self.rest = self.rest[self.rest.index(after: equals)...]
            if self.rest.first == "#" { return .init(type: type.oid, value: try self.hexValue()) }
            return try type.attribute(self.string())
        }

        /// hexstring = SHARP 1*hexpair: the DER of the value.
        private mutating func hexValue() throws -> RelativeDistinguishedName.Attribute.Value {
            self.rest.removeFirst()
            let digits = self.rest.prefix { $0 != "," && $0 != "+" }
            self.rest = self.rest[digits.endIndex...]
            guard let der = Hexadecimal.bytes(String(digits)) else {
                throw PKIMessageError.invalidValue("distinguished name", "# is not followed by hexadecimal digits")
            }
            return .init(asn1Any: ASN1Any(derEncoded: try StrictDER.node(der, what: "distinguished name")))
        }

        /// string = [ leadchar / pair ] *( stringchar / pair ), a pair being `\` and a special character or two
        /// hexadecimal digits of UTF-8.
        private mutating func string() throws -> String {
            var octets: [UInt8] = []
            // How far the value goes without the blanks at its end, which must be escaped to belong to it.
            var significant = 0
            while let next = self.rest.first, next != ",", next != "+" {
                self.rest.removeFirst()
                switch next {
                case "\\":
                    octets.append(contentsOf: try self.escaped())
                    significant = octets.count
                case "\"", ";", "<", ">", "\0":
                    throw PKIMessageError.invalidValue(
                        "distinguished name", "a \(next.debugDescription) is not escaped")
                case " " where octets.isEmpty:
                    throw PKIMessageError.invalidValue("distinguished name", "a blank after \"=\" is not escaped")
                default:
                    octets.append(contentsOf: String(next).utf8)
                    if next != " " { significant = octets.count }
                }
            }
            guard significant == octets.count, let text = String(validating: octets, as: UTF8.self) else {
                throw PKIMessageError.invalidValue(
                    "distinguished name", "a value ends with a blank that is not escaped, or is not UTF-8")
            }
            return text
        }

        private mutating func escaped() throws -> [UInt8] {
            let special: Set<Unicode.Scalar> = [",", "+", "\"", "\\", "<", ">", ";", " ", "#", "="]
            guard let first = self.rest.popFirst() else {
                throw PKIMessageError.invalidValue("distinguished name", "it ends with a \\")
            }
            if special.contains(first) { return Array(String(first).utf8) }
            guard let second = self.rest.popFirst(), let octet = Hexadecimal.bytes("\(first)\(second)") else {
                throw PKIMessageError.invalidValue("distinguished name", "\\\(first) is not an escape")
            }
            return octet
        }
    }
}
