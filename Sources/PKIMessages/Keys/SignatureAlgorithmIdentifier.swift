package import SwiftASN1

/// A signature algorithm with its parameters, kept as received (RFC 5280, section 4.1.1.2; RFC 3279, 4055, 5758, 8410).
///
///     AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY DEFINED BY algorithm OPTIONAL }
package struct SignatureAlgorithmIdentifier: Hashable, Sendable {
    package let derBytes: [UInt8]
    package let algorithm: ASN1ObjectIdentifier
    /// One DER element, or `nil` when there is none.
    package let parametersDER: [UInt8]?

    /// - Throws: ``PKIMessageError`` with `malformed` and its relatives. An unknown algorithm is not an error here.
    package init(derEncoded bytes: [UInt8]) throws {
        self = try StrictDER.parse(Self.self, bytes, what: "signature algorithm")
    }

    /// For the constants below, whose encodings are known.
    private init(_ algorithm: ASN1ObjectIdentifier, derBytes: [UInt8], hasNull: Bool) {
        self.derBytes = derBytes
        self.algorithm = algorithm
        self.parametersDER = hasNull ? [0x05, 0x00] : nil
    }

    /// The hash that the algorithm names; `nil` for Ed25519, Ed448, bare `rsaEncryption` and unknown algorithms.
    /// For RSASSA-PSS it is that of the parameters.
    package var digest: Digest? {
        switch self.algorithm {
        case OID.sha1WithRSA: .sha1
        case OID.sha256WithRSA, OID.ecdsaWithSHA256: .sha256
        case OID.sha384WithRSA, OID.ecdsaWithSHA384: .sha384
        case OID.sha512WithRSA, OID.ecdsaWithSHA512: .sha512
        // `try?`: parameters that do not parse have no digest; verification reports why.
        case OID.rsaPSS: (try? PSSParameters(self))?.digest
        default: nil
        }
    }

    /// True when there are no parameters, or NULL.
    var hasNoParameters: Bool {
        self.parametersDER == nil || self.parametersDER == [0x05, 0x00]
    }
}

extension SignatureAlgorithmIdentifier: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        (self.algorithm, self.parametersDER) = try DER.sequence(node, identifier: identifier) { nodes in
            (try ASN1ObjectIdentifier(derEncoded: &nodes), nodes.next().map(StrictDER.raw))
        }
        self.derBytes = StrictDER.raw(node)
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.algorithm)
            coder.serializeRawBytes(self.parametersDER ?? [])
        }
    }
}

extension SignatureAlgorithmIdentifier {
    package static let ecdsaWithSHA256 = ecdsa(OID.ecdsaWithSHA256, last: 2)
    package static let ecdsaWithSHA384 = ecdsa(OID.ecdsaWithSHA384, last: 3)
    package static let ecdsaWithSHA512 = ecdsa(OID.ecdsaWithSHA512, last: 4)
    /// Only for messages of old clients; never made by us.
    package static let sha1WithRSA = rsa(OID.sha1WithRSA, last: 5)
    package static let sha256WithRSA = rsa(OID.sha256WithRSA, last: 11)
    package static let sha384WithRSA = rsa(OID.sha384WithRSA, last: 12)
    package static let sha512WithRSA = rsa(OID.sha512WithRSA, last: 13)
    /// `rsaEncryption` as the signature algorithm of CMS (RFC 3370, section 3.2): the hash stands elsewhere.
    package static let rsaEncryption = rsa(OID.rsaEncryption, last: 1)
    package static let ed25519 = SignatureAlgorithmIdentifier(
        OID.ed25519, derBytes: [0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70], hasNull: false)

    /// RSASSA-PKCS1-v1_5 with a hash.
    package static func rsa(_ digest: Digest) -> SignatureAlgorithmIdentifier {
        switch digest {
        case .sha1: .sha1WithRSA
        case .sha256: .sha256WithRSA
        case .sha384: .sha384WithRSA
        case .sha512: .sha512WithRSA
        }
    }

    /// ECDSA with a hash; `nil` for SHA-1, which we do not use with ECDSA.
    package static func ecdsa(_ digest: Digest) -> SignatureAlgorithmIdentifier? {
        switch digest {
        case .sha1: nil
        case .sha256: .ecdsaWithSHA256
        case .sha384: .ecdsaWithSHA384
        case .sha512: .ecdsaWithSHA512
        }
    }

    /// 1.2.840.113549.1.1.`last` with NULL (RFC 4055, section 5).
    private static func rsa(_ algorithm: ASN1ObjectIdentifier, last: UInt8) -> SignatureAlgorithmIdentifier {
        SignatureAlgorithmIdentifier(
            algorithm,
            derBytes: [0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, last, 0x05, 0x00],
            hasNull: true)
    }

    /// 1.2.840.10045.4.3.`last` without parameters (RFC 5758, section 3.2).
    private static func ecdsa(_ algorithm: ASN1ObjectIdentifier, last: UInt8) -> SignatureAlgorithmIdentifier {
        SignatureAlgorithmIdentifier(
            algorithm, derBytes: [0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, last],
            hasNull: false)
    }
}
