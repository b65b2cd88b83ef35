package import SwiftASN1

/// How the content of an EnvelopedData is encrypted (RFC 5652, section 6.1).
package enum ContentEncryptionAlgorithm: Hashable, Sendable {
    /// AES-256 in CBC mode, initialisation vector of 16 bytes (RFC 3565).
    case aes256CBC([UInt8])
    /// AES-128 in CBC mode, initialisation vector of 16 bytes (RFC 3565).
    case aes128CBC([UInt8])
    /// AES-192-CBC with its initialisation vector, as a requester may choose it.
    case aes192CBC([UInt8])
    /// Triple DES with three keys in CBC mode, initialisation vector of 8 bytes (RFC 3370, section 5.1).
    case desEDE3CBC([UInt8])
    /// AES-256 key wrap with padding (RFC 5649, OID of RFC 5958 section 4 usage), for a PrivateKeyInfo.
    case aes256WrapPad
    /// An algorithm that is kept and cannot be opened here.
    case other(AlgorithmIdentifier)

    /// The length of the content-encryption key in bytes, `nil` when the algorithm is not known.
    package var keyBytes: Int? {
        switch self {
        case .aes256CBC, .aes256WrapPad: 32
        case .aes128CBC: 16
        case .desEDE3CBC, .aes192CBC: 24
        case .other: nil
        }
    }
}

extension ContentEncryptionAlgorithm: DERParseable, DERSerializable {
    package init(derEncoded node: ASN1Node) throws {
        let identifier = try AlgorithmIdentifier(derEncoded: node)
        switch identifier.algorithm {
        case OID.aes256CBC: self = .aes256CBC(try Self.initializationVector(identifier, bytes: 16))
        case OID.aes192CBC: self = .aes192CBC(try Self.initializationVector(identifier, bytes: 16))
        case OID.aes128CBC: self = .aes128CBC(try Self.initializationVector(identifier, bytes: 16))
        case OID.desEDE3CBC: self = .desEDE3CBC(try Self.initializationVector(identifier, bytes: 8))
        case OID.aes256WrapPad:
            guard identifier.parametersDER == nil else {
                throw ASN1Error.invalidASN1Object(reason: "id-aes256-wrap-pad has parameters")
            }
            self = .aes256WrapPad
        default: self = .other(identifier)
        }
    }

    private static func initializationVector(_ identifier: AlgorithmIdentifier, bytes: Int) throws -> [UInt8] {
        let vector = try ASN1OctetString(derEncoded: identifier.parametersDER ?? [])
        guard vector.bytes.count == bytes else {
            throw ASN1Error.invalidASN1Object(
                reason: "an initialisation vector has \(vector.bytes.count) bytes instead of \(bytes)")
        }
        return Array(vector.bytes)
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        switch self {
        case .aes256CBC(let vector): try Self.serialize(OID.aes256CBC, vector, into: &coder)
        case .aes192CBC(let vector): try Self.serialize(OID.aes192CBC, vector, into: &coder)
        case .aes128CBC(let vector): try Self.serialize(OID.aes128CBC, vector, into: &coder)
        case .desEDE3CBC(let vector): try Self.serialize(OID.desEDE3CBC, vector, into: &coder)
        case .aes256WrapPad:
            try coder.serialize(AlgorithmIdentifier(algorithm: OID.aes256WrapPad, parametersDER: nil))
        case .other(let identifier): try coder.serialize(identifier)
        }
    }

    private static func serialize(
        _ algorithm: ASN1ObjectIdentifier, _ vector: [UInt8], into coder: inout DER.Serializer
    ) throws {
        let parameters = try StrictDER.serialize(ASN1OctetString(contentBytes: vector[...]))
        try coder.serialize(AlgorithmIdentifier(algorithm: algorithm, parametersDER: parameters))
    }
}
