package import SwiftASN1

/// A control of a CMC message (RFC 5272, section 3.2.1.1).
///
///     TaggedAttribute ::= SEQUENCE {
///         bodyPartID BodyPartID, attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
package struct TaggedAttribute: Hashable, Sendable {
    package let bodyPartID: UInt32
    package let type: ASN1ObjectIdentifier
    /// Each value as one DER element, in the order in which they are encoded.
    package let values: [[UInt8]]

    package init(bodyPartID: UInt32, type: ASN1ObjectIdentifier, values: [[UInt8]]) {
        self.bodyPartID = bodyPartID
        self.type = type
        self.values = values
    }

    /// A control with one value.
    package init(bodyPartID: UInt32, type: ASN1ObjectIdentifier, value: some DERSerializable) throws {
        self.init(bodyPartID: bodyPartID, type: type, values: [try StrictDER.serialize(value)])
    }

    /// Reads the only value of the control.
    func singleValue<T: DERParseable>(as type: T.Type, what: String) throws -> T {
        try StrictDER.parse(T.self, CMSAttribute(type: self.type, values: self.values).singleValue(), what: what)
    }
}

extension TaggedAttribute: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let bodyPartID = try UInt32(derEncoded: &nodes)
            let type = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let values = try DER.elements(of: RawDER.self, in: &nodes, identifier: .set)
            return TaggedAttribute(bodyPartID: bodyPartID, type: type, values: values.map(\.bytes))
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.bodyPartID)
            try coder.serialize(self.type)
            try coder.serializeSequenceOf(self.values.map(RawDER.init), identifier: .set)
        }
    }
}
