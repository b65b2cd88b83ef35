package import SwiftASN1

/// What a SignedData signs (RFC 5652, section 5.2).
///
///     EncapsulatedContentInfo ::= SEQUENCE { eContentType ContentType, eContent [0] EXPLICIT OCTET STRING OPTIONAL }
///
/// PKCS #7 1.5 has ANY in the place of the OCTET STRING; its content octets are what is hashed (RFC 5652, section
/// 5.2.1). Such a content is read, never written anew.
package struct EncapsulatedContentInfo: Hashable, Sendable {
    package let eContentType: ASN1ObjectIdentifier
    /// The element inside `[0]` with its tag and length, `nil` when the content is detached.
    package let eContentDER: [UInt8]?
    /// The content octets of that element: what is hashed.
    package let eContent: [UInt8]?

    /// A content in an OCTET STRING.
    package init(eContentType: ASN1ObjectIdentifier, eContent: [UInt8]?) throws {
        self.eContentType = eContentType
        self.eContent = eContent
        self.eContentDER = try eContent.map { try StrictDER.serialize(ASN1OctetString(contentBytes: $0[...])) }
    }

    /// True when the content is an OCTET STRING, as CMS wants it.
    var isOctetString: Bool { self.eContentDER?.first == 0x04 }
}

extension EncapsulatedContentInfo: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        var type: ASN1ObjectIdentifier = OID.data
        var element: ASN1Node?
        try DER.sequence(node, identifier: identifier) { nodes in
            type = try ASN1ObjectIdentifier(derEncoded: &nodes)
            element = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) { $0 }
        }
        self.eContentType = type
        self.eContentDER = element.map { StrictDER.raw($0) }
        self.eContent = try element.map(Self.contentOctets)
    }

    /// An OCTET STRING in pieces (BER) is refused; a constructed element of another type is that of PKCS #7.
    private static func contentOctets(_ node: ASN1Node) throws -> [UInt8] {
        switch node.content {
        case .primitive(let bytes):
            return Array(bytes)
        case .constructed(let children):
            guard node.identifier != .octetString else {
                throw ASN1Error.invalidASN1Object(reason: "the content is an OCTET STRING in pieces, which is not DER")
            }
            return children.flatMap { $0.encodedBytes }
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.eContentType)
            if let element = self.eContentDER {
                coder.appendConstructedNode(identifier: .contextSpecific(0)) { $0.serializeRawBytes(element) }
            }
        }
    }
}
