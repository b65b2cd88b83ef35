import SwiftASN1

extension TransportPadding {
    /// Reads the key encryption algorithm of a recipient (RFC 3370 section 4.2.1; RFC 4055 section 4.1).
    ///
    ///     RSAES-OAEP-params ::= SEQUENCE {
    ///         hashFunc [0] AlgorithmIdentifier DEFAULT sha1Identifier,
    ///         maskGenFunc [1] AlgorithmIdentifier DEFAULT mgf1SHA1Identifier,
    ///         pSourceFunc [2] AlgorithmIdentifier DEFAULT pSpecifiedEmptyIdentifier }
    ///
    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` for another algorithm, for OAEP with a label, and for
    ///   OAEP whose mask generation function uses another hash.
    init(keyEncryptionAlgorithm identifier: AlgorithmIdentifier) throws {
        switch identifier.algorithm {
        case OID.rsaEncryption where identifier.hasNoParameters:
            self = .pkcs1v15
        case OID.rsaOAEP:
            guard let parameters = identifier.parametersDER else {
                throw PKIMessageError.malformed("RSAES-OAEP parameters", "they are missing")
            }
            self = .oaep(
                try StrictDER.parse(RSAESOAEPParameters.self, parameters, what: "RSAES-OAEP parameters").digest)
        default:
            throw PKIMessageError.unsupportedAlgorithm(
                "key encryption algorithm of a recipient", "\(identifier.algorithm)")
        }
    }

    var keyEncryptionAlgorithm: AlgorithmIdentifier {
        get throws {
            switch self {
            case .pkcs1v15:
                AlgorithmIdentifier(algorithm: OID.rsaEncryption, parametersDER: AlgorithmIdentifier.null)
            case .oaep(let digest):
                AlgorithmIdentifier(
                    algorithm: OID.rsaOAEP,
                    parametersDER: try StrictDER.serialize(RSAESOAEPParameters(digest: digest)))
            }
        }
    }
}

/// OAEP parameters with one hash for both purposes and no label.
private struct RSAESOAEPParameters: DERParseable, DERSerializable {
    let digest: Digest

    init(digest: Digest) {
        self.digest = digest
    }

    init(derEncoded node: ASN1Node) throws {
        let (hash, mask) = try DER.sequence(node, identifier: .sequence) { nodes in
            let hash = try Self.optional(&nodes, 0)
            let mask = try Self.optional(&nodes, 1)
            if let source = try Self.optional(&nodes, 2) {
                let isEmptyLabel = source.algorithm == OID.pSpecified && source.parametersDER == [0x04, 0x00]
                guard isEmptyLabel else {
                    throw PKIMessageError.unsupportedAlgorithm("label of RSAES-OAEP", "\(source.algorithm)")
                }
            }
            return (hash, mask)
        }
        self.digest = try Self.digest(hash)
        guard try Self.maskDigest(mask) == self.digest else {
            throw PKIMessageError.unsupportedAlgorithm("RSAES-OAEP with two different hashes", "\(OID.rsaOAEP)")
        }
    }

    private static func optional(
        _ nodes: inout ASN1NodeCollection.Iterator, _ tagNumber: UInt
    ) throws -> AlgorithmIdentifier? {
        try DER.optionalExplicitlyTagged(&nodes, tagNumber: tagNumber, tagClass: .contextSpecific) {
            try AlgorithmIdentifier(derEncoded: $0)
        }
    }

    private static func digest(_ identifier: AlgorithmIdentifier?) throws -> Digest {
        guard let identifier else { return .sha1 }
        guard let digest = Digest(oid: identifier.algorithm), identifier.hasNoParameters else {
            throw PKIMessageError.unsupportedAlgorithm("hash of RSAES-OAEP", "\(identifier.algorithm)")
        }
        return digest
    }

    private static func maskDigest(_ mask: AlgorithmIdentifier?) throws -> Digest {
        guard let mask else { return .sha1 }
        guard mask.algorithm == OID.mgf1, let parameters = mask.parametersDER else {
            throw PKIMessageError.unsupportedAlgorithm("mask generation function of RSAES-OAEP", "\(mask.algorithm)")
        }
        return try self.digest(AlgorithmIdentifier(derEncoded: parameters))
    }

    func serialize(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            guard self.digest != .sha1 else { return }
            // RFC 4055, section 2.1: within RSAES-OAEP the hash identifiers have NULL parameters.
            let hash = AlgorithmIdentifier(algorithm: self.digest.oid, parametersDER: AlgorithmIdentifier.null)
            let mask = AlgorithmIdentifier(algorithm: OID.mgf1, parametersDER: try StrictDER.serialize(hash))
            try coder.serialize(hash, explicitlyTaggedWithIdentifier: .contextSpecific(0))
            try coder.serialize(mask, explicitlyTaggedWithIdentifier: .contextSpecific(1))
        }
    }
}
