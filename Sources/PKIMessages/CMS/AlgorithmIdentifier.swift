package import SwiftASN1

/// An algorithm and its parameters, the parameters as received (RFC 5280, section 4.1.1.2).
///
///     AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY DEFINED BY algorithm OPTIONAL }
package struct AlgorithmIdentifier: Hashable, Sendable {
    package let algorithm: ASN1ObjectIdentifier
    /// One DER element, or `nil` when there is none.
    package let parametersDER: [UInt8]?

    package init(algorithm: ASN1ObjectIdentifier, parametersDER: [UInt8]?) {
        self.algorithm = algorithm
        self.parametersDER = parametersDER
    }

    /// The DER of NULL, which many algorithms have as their parameters.
    static let null: [UInt8] = [0x05, 0x00]

    /// True when there are no parameters, or NULL.
    var hasNoParameters: Bool {
        self.parametersDER == nil || self.parametersDER == AlgorithmIdentifier.null
    }

    /// A hash function as CMS names it: SHA-1 with NULL as every client writes it, the others without parameters
    /// (RFC 5754, section 2).
    static func digest(_ digest: Digest) -> AlgorithmIdentifier {
        AlgorithmIdentifier(algorithm: digest.oid, parametersDER: digest == .sha1 ? AlgorithmIdentifier.null : nil)
    }
}

extension AlgorithmIdentifier: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let algorithm = try ASN1ObjectIdentifier(derEncoded: &nodes)
            return AlgorithmIdentifier(
                algorithm: algorithm, parametersDER: nodes.next().map { StrictDER.raw($0) })
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.algorithm)
            coder.serializeRawBytes(self.parametersDER ?? [])
        }
    }
}
