import SwiftASN1

extension ASN1Identifier {
    /// The tag `[number]` of a field.
    static func contextSpecific(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }
}

extension DER {
    /// Reads a SET OF or SEQUENCE OF in the order in which it was received.
    ///
    /// A SET OF is not required to be sorted here: real messages have unsorted certificate and attribute sets, and
    /// what is signed or hashed is the received bytes.
    static func elements<T: DERParseable>(
        of type: T.Type = T.self, in node: ASN1Node, identifier: ASN1Identifier
    ) throws -> [T] {
        try DER.sequence(of: type, identifier: identifier, rootNode: node)
    }

    static func elements<T: DERParseable>(
        of type: T.Type = T.self, in nodes: inout ASN1NodeCollection.Iterator, identifier: ASN1Identifier
    ) throws -> [T] {
        try DER.sequence(of: type, identifier: identifier, nodes: &nodes)
    }
}
