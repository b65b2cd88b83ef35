import SwiftASN1

/// The parameters of RSASSA-PSS (RFC 4055, section 3.1), of which we take those with one hash for both purposes.
///
///     RSASSA-PSS-params ::= SEQUENCE {
///         hashAlgorithm [0] HashAlgorithm DEFAULT sha1Identifier,
///         maskGenAlgorithm [1] MaskGenAlgorithm DEFAULT mgf1SHA1Identifier,
///         saltLength [2] INTEGER DEFAULT 20,
///         trailerField [3] INTEGER DEFAULT 1 }
struct PSSParameters: Hashable {
    let digest: Digest
    let saltBytes: Int

    init(_ identifier: SignatureAlgorithmIdentifier) throws {
        guard identifier.algorithm == OID.rsaPSS, let parameters = identifier.parametersDER else {
            throw PKIMessageError.malformed("RSASSA-PSS parameters", "they are missing")
        }
        self = try StrictDER.parse(Self.self, parameters, what: "RSASSA-PSS parameters")
    }
}

extension PSSParameters: DERParseable {
    init(derEncoded node: ASN1Node) throws {
        (self.digest, self.saltBytes) = try DER.sequence(node, identifier: .sequence) { nodes in
            let hash = try Self.optional(&nodes, 0) { try Self.digest($0) } ?? .sha1
            let maskHash = try Self.optional(&nodes, 1) { try Self.maskDigest($0) } ?? .sha1
            let salt = try Self.optional(&nodes, 2) { try Int(derEncoded: $0) } ?? 20
            let trailer = try Self.optional(&nodes, 3) { try Int(derEncoded: $0) } ?? 1
            guard hash == maskHash, trailer == 1, (0...512).contains(salt) else {
                throw PKIMessageError.unsupportedAlgorithm("RSASSA-PSS parameters", OID.rsaPSS)
            }
            return (hash, salt)
        }
    }

    private static func optional<R>(
        _ nodes: inout ASN1NodeCollection.Iterator, _ tag: UInt, _ read: (ASN1Node) throws -> R
    ) throws -> R? {
        try DER.optionalExplicitlyTagged(&nodes, tagNumber: tag, tagClass: .contextSpecific, read)
    }

    private static func digest(_ node: ASN1Node) throws -> Digest {
        let identifier = try SignatureAlgorithmIdentifier(derEncoded: node)
        guard let digest = Digest(oid: identifier.algorithm), identifier.hasNoParameters else {
            throw PKIMessageError.unsupportedAlgorithm("hash of RSASSA-PSS", identifier.algorithm)
        }
        return digest
    }

    private static func maskDigest(_ node: ASN1Node) throws -> Digest {
        let identifier = try SignatureAlgorithmIdentifier(derEncoded: node)
        guard identifier.algorithm == OID.mgf1, let parameters = identifier.parametersDER else {
            throw PKIMessageError.unsupportedAlgorithm("mask generation of RSASSA-PSS", identifier.algorithm)
        }
        return try self.digest(StrictDER.node(parameters, what: "hash of MGF1"))
    }
}
