package import SwiftASN1
package import X509

/// An attribute of a certification request (RFC 2986, section 4.1), its values as received.
///
///     Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
package struct PKCSAttribute: Hashable, Sendable {
    package let type: ASN1ObjectIdentifier
    /// DER of each value.
    package let values: [[UInt8]]

    package init(type: ASN1ObjectIdentifier, values: [[UInt8]]) {
        self.type = type
        self.values = values
    }

    /// The extensions that a requester asks for, attribute 1.2.840.113549.1.9.14 (RFC 2985, section 5.4.2).
    package static func extensionRequest(_ extensions: [Certificate.Extension]) throws -> PKCSAttribute {
        PKCSAttribute(type: OID.extensionRequest, values: [try ExtensionEncoding.list(extensions)])
    }
}

extension PKCSAttribute: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        (self.type, self.values) = try DER.sequence(node, identifier: identifier) { nodes in
            let type = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let values = try DER.set(of: RawDER.self, identifier: .set, nodes: &nodes)
            return (type, values.map(\.bytes))
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.type)
            try coder.serializeSetOf(self.values.map { RawDER($0) })
        }
    }
}
