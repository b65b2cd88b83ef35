package import SwiftASN1

/// A recipient of a kind that an object identifier names (RFC 5652, section 6.2.5).
///
///     OtherRecipientInfo ::= SEQUENCE { oriType OBJECT IDENTIFIER, oriValue ANY DEFINED BY oriType }
///
/// It stands in a RecipientInfo as `[4] IMPLICIT`.
package struct OtherRecipientInfo: Hashable, Sendable {
    package let type: ASN1ObjectIdentifier
    /// One DER element.
    package let valueDER: [UInt8]

    package init(type: ASN1ObjectIdentifier, valueDER: [UInt8]) {
        self.type = type
        self.valueDER = valueDER
    }
}

extension OtherRecipientInfo: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .contextSpecific(4) }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            OtherRecipientInfo(
                type: try ASN1ObjectIdentifier(derEncoded: &nodes),
                valueDER: StrictDER.raw(try StrictDER.next(&nodes, "oriValue")))
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.type)
            coder.serializeRawBytes(self.valueDER)
        }
    }
}

extension EnvelopedData {
    /// The recipients that object identifiers name, in their order; malformed ones are an error.
    ///
    /// - Throws: ``PKIMessageError`` with `malformed`.
    package func otherRecipients() throws -> [OtherRecipientInfo] {
        try self.recipientInfos.compactMap { recipient in
            // [4] IMPLICIT of a SEQUENCE: constructed, context-specific.
            guard case .other(let bytes) = recipient, bytes.first == 0xA4 else { return nil }
            return try StrictDER.parse(OtherRecipientInfo.self, bytes, what: "CMS OtherRecipientInfo")
        }
    }
}
