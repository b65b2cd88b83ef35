package import SwiftASN1

/// A typed content, the outermost layer of every CMS message (RFC 5652, section 3).
///
///     ContentInfo ::= SEQUENCE { contentType ContentType, content [0] EXPLICIT ANY DEFINED BY contentType }
package struct ContentInfo: Hashable, Sendable {
    package let contentType: ASN1ObjectIdentifier
    /// The element inside `[0]`.
    package let contentDER: [UInt8]
    /// The whole ContentInfo, byte for byte as received when it was parsed: what hashes are over.
    package let derBytes: [UInt8]

    package init(contentType: ASN1ObjectIdentifier, contentDER: [UInt8]) throws {
        var coder = DER.Serializer()
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(contentType)
            coder.appendConstructedNode(identifier: .contextSpecific(0)) { $0.serializeRawBytes(contentDER) }
        }
        self.contentType = contentType
        self.contentDER = contentDER
        self.derBytes = coder.serializedBytes
    }

    /// - Throws: ``PKIMessageError`` when the bytes are not exactly one ContentInfo in DER.
    package init(derEncoded bytes: [UInt8]) throws {
        self = try StrictDER.parse(ContentInfo.self, bytes, what: "CMS ContentInfo")
    }

    /// - Throws: ``PKIMessageError`` with `wrongContentType` when the content is of another type.
    func requireContentType(_ expected: ASN1ObjectIdentifier, _ what: String) throws {
        guard self.contentType == expected else {
            throw PKIMessageError.wrongContentType(what, expected: "\(expected)", found: "\(self.contentType)")
        }
    }
}

extension ContentInfo: DERParseable, DERSerializable {
    package init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let contentType = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let content = try DER.explicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) {
                RawDER(StrictDER.raw($0))
            }
            return ContentInfo(
                contentType: contentType, contentDER: content.bytes, derBytes: StrictDER.raw(node))
        }
    }

    private init(contentType: ASN1ObjectIdentifier, contentDER: [UInt8], derBytes: [UInt8]) {
        self.contentType = contentType
        self.contentDER = contentDER
        self.derBytes = derBytes
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        coder.serializeRawBytes(self.derBytes)
    }
}
