import SwiftASN1
package import X509

/// Distinguished names as text (RFC 4514): `CN=Issuing CA,O=Example\, Inc.,C=DE`, the most specific part first.
package enum DistinguishedNameText {
    /// Reads a name. One blank or more before an attribute type is tolerated; everything else is RFC 4514.
    ///
    /// Values become UTF8String; countryName and serialNumber PrintableString; domainComponent and emailAddress IA5String.
    /// `#` and hexadecimal digits give the value's DER itself. An empty text is the empty name.
    ///
    /// - Throws: ``PKIMessageError`` with `invalidValue`, naming the attribute.
    package static func parse(_ text: String) throws -> DistinguishedName {
        guard !text.utf8.isEmpty else { return DistinguishedName() }
        var scanner = Scanner(text)
        var names: [RelativeDistinguishedName] = []
        repeat {
            var attributes: [RelativeDistinguishedName.Attribute] = []
            repeat {
                attributes.append(try scanner.attribute())
            } while try scanner.take("+")
            names.append(RelativeDistinguishedName(attributes))
        } while try scanner.take(",")
        return DistinguishedName(names.reversed())
    }

    /// The text of a name (RFC 4514, section 2).
    package static func text(of name: DistinguishedName) -> String {
        name.description
    }

    /// The most specific common name, or `nil` when there is none or when it is no text.
    package static func commonName(of name: DistinguishedName) -> String? {
        self.value(of: .RDNAttributeType.commonName, in: name)
    }

    /// The text of the last attribute of the given type.
    static func value(of type: ASN1ObjectIdentifier, in name: DistinguishedName) -> String? {
        guard let attribute = name.lazy.flatMap({ $0 }).last(where: { $0.type == type }) else { return nil }
        if let text = String(attribute.value) { return text }
        // `try?`: a value of another type than the string types has no text.
        guard let string = try? ASN1BMPString(asn1Any: ASN1Any(attribute.value)) else { return nil }
        return try? BMPText.decode(string.bytes, what: "distinguished name")
    }
}

extension DistinguishedNameText {
    /// What is known of an attribute type: keyword, object identifier, string type, upper bound in characters
    /// (RFC 5280, appendix A.1).
    struct AttributeType {
        enum StringType { case utf8, printable, ia5 }

        let keywords: [String]
        let oid: ASN1ObjectIdentifier
        var string: StringType = .utf8
        var maximumCharacters: Int

        static let known: [AttributeType] = [
            .init(keywords: ["CN"], oid: [2, 5, 4, 3], maximumCharacters: 64),
            .init(keywords: ["SN"], oid: [2, 5, 4, 4], maximumCharacters: 32768),
            .init(keywords: ["SERIALNUMBER"], oid: [2, 5, 4, 5], string: .printable, maximumCharacters: 64),
            .init(keywords: ["C"], oid: [2, 5, 4, 6], string: .printable, maximumCharacters: 2),
            .init(keywords: ["L"], oid: [2, 5, 4, 7], maximumCharacters: 128),
            .init(keywords: ["ST", "S"], oid: [2, 5, 4, 8], maximumCharacters: 128),
            .init(keywords: ["STREET"], oid: [2, 5, 4, 9], maximumCharacters: 128),
            .init(keywords: ["O"], oid: [2, 5, 4, 10], maximumCharacters: 64),
            .init(keywords: ["OU"], oid: [2, 5, 4, 11], maximumCharacters: 64),
            .init(keywords: ["T", "TITLE"], oid: [2, 5, 4, 12], maximumCharacters: 64),
            .init(keywords: ["G", "GN"], oid: [2, 5, 4, 42], maximumCharacters: 32768),
            .init(keywords: ["UID"], oid: [0, 9, 2342, 19_200_300, 100, 1, 1], maximumCharacters: 256),
            .init(
                keywords: ["DC"], oid: [0, 9, 2342, 19_200_300, 100, 1, 25], string: .ia5, maximumCharacters: 63),
            .init(
                keywords: ["E", "EMAIL", "EMAILADDRESS"], oid: [1, 2, 840, 113549, 1, 9, 1], string: .ia5,
                maximumCharacters: 255),
        ]

        /// By keyword, whatever the case, or by dotted object identifier.
        static func named(_ name: String) throws -> AttributeType {
            let upper = name.uppercased()
            if let found = self.known.first(where: { $0.keywords.contains(upper) }) { return found }
            let arcs = name.split(separator: ".", omittingEmptySubsequences: false).map { UInt($0) }
            guard arcs.count >= 2, let first = arcs[0], first <= 2, let second = arcs[1], second < 40,
                !arcs.contains(nil)
            else {
                throw PKIMessageError.invalidValue("distinguished name", "\"\(name)\" is not an attribute type")
            }
            let oid = try ASN1ObjectIdentifier(elements: arcs.compactMap { $0 })
            return self.known.first { $0.oid == oid }
                ?? AttributeType(keywords: [name], oid: oid, maximumCharacters: 32768)
        }

        func attribute(_ text: String) throws -> RelativeDistinguishedName.Attribute {
            let name = self.keywords[0]
            guard !text.isEmpty, text.unicodeScalars.count <= self.maximumCharacters else {
                throw PKIMessageError.invalidValue(
                    "distinguished name", "\(name) must have 1 to \(self.maximumCharacters) characters")
            }
            do {
                let value: RelativeDistinguishedName.Attribute.Value =
                    switch self.string {
                    case .utf8: .init(utf8String: text)
                    case .printable: try .init(printableString: text)
                    case .ia5: try .init(ia5String: text)
                    }
                return .init(type: self.oid, value: value)
            } catch {
                throw PKIMessageError.invalidValue("distinguished name", "\(name) has a character it must not have")
            }
        }
    }
}
