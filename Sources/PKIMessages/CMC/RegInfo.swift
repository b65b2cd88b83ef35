import SwiftASN1

/// Request attributes as text, the regInfo control (RFC 5272, section 6.12; 1.3.6.1.5.5.7.7.18; MS-WCCE 2.2.2.6.3).
///
/// An OCTET STRING with UTF-8 `Name=Value&Name=Value&`; the last `&` may be missing. No escaping is defined, so that
/// a value cannot contain `&`.
package struct RegInfo: Hashable, Sendable {
    package struct Pair: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package let pairs: [Pair]

    package init(pairs: [Pair]) {
        self.pairs = pairs
    }

    /// - Parameter octets: the content of the OCTET STRING.
    /// - Throws: ``PKIMessageError`` with `malformed` when it is not UTF-8 or a part has no name or no `=`.
    package init(octets: [UInt8]) throws {
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw PKIMessageError.malformed("regInfo control", "it is not UTF-8 text")
        }
        self.pairs = try text.split(separator: "&").map { part in
            guard let equals = part.firstIndex(of: "="), equals != part.startIndex else {
                throw PKIMessageError.malformed("regInfo control", "a part is not of the form Name=Value")
            }
            return Pair(name: String(part[..<equals]), value: String(part[part.index(after: equals)...]))
        }
    }

    /// The content of the OCTET STRING, with the `&` at the end that Windows writes.
    ///
    /// - Throws: ``PKIMessageError`` with `malformed` when a name or value cannot be written.
    package func octets() throws -> [UInt8] {
        try self.pairs.flatMap { pair in
            guard !pair.name.isEmpty, !pair.name.contains(where: { "=&".contains($0) }), !pair.value.contains("&")
            else {
                throw PKIMessageError.malformed("regInfo control", "a name or value contains & or =")
            }
            return Array("\(pair.name)=\(pair.value)&".utf8)
        }
    }
}
