package import SwiftASN1

/// An attribute of a CMS message: a type and its values (RFC 5652, section 5.3).
///
///     Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
package struct CMSAttribute: Hashable, Sendable {
    package let type: ASN1ObjectIdentifier
    /// Each value as one DER element, in the order in which they are encoded.
    package let values: [[UInt8]]

    package init(type: ASN1ObjectIdentifier, values: [[UInt8]]) {
        self.type = type
        self.values = values
    }

    /// An attribute with one value.
    package init(type: ASN1ObjectIdentifier, value: some DERSerializable) throws {
        self.init(type: type, values: [try StrictDER.serialize(value)])
    }

    /// The only value of the attribute.
    ///
    /// - Throws: ``PKIMessageError`` when there is none, or more than one.
    package func singleValue() throws -> [UInt8] {
        guard self.values.count == 1, let value = self.values.first else {
            throw PKIMessageError.malformed(
                "attribute \(self.type)", "it has \(self.values.count) values instead of one")
        }
        return value
    }
}

extension CMSAttribute: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let type = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let values = try DER.elements(of: RawDER.self, in: &nodes, identifier: .set)
            return CMSAttribute(type: type, values: values.map(\.bytes))
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.type)
            try coder.serializeSequenceOf(self.values.map(RawDER.init), identifier: .set)
        }
    }
}

extension [CMSAttribute] {
    /// The attribute of a type that may appear once at most.
    ///
    /// - Throws: ``PKIMessageError`` when it appears twice.
    func single(_ type: ASN1ObjectIdentifier, in what: String) throws -> CMSAttribute? {
        let found = self.filter { $0.type == type }
        guard found.count <= 1 else {
            throw PKIMessageError.malformed(what, "attribute \(type) appears \(found.count) times")
        }
        return found.first
    }
}
