package import SwiftASN1

/// A public key of any algorithm, carried as the bytes that were received (RFC 5280, section 4.1.2.7).
///
///     SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
package struct SubjectPublicKeyInfo: Hashable, Sendable {
    package let derBytes: [UInt8]
    package let algorithm: ASN1ObjectIdentifier
    /// The algorithm's parameters, one DER element: for an elliptic curve key the curve.
    package let parametersDER: [UInt8]?
    /// The named curve of an elliptic curve key; `nil` for other keys and for explicit parameters.
    package let namedCurve: ASN1ObjectIdentifier?
    /// The content of the BIT STRING, without the count of unused bits, which is always 0.
    package let keyBits: [UInt8]
    /// RSA: the length of the modulus. Elliptic curves: that of the field. Others: that of ``keyBits``.
    package let keySizeBits: Int

    /// - Throws: ``PKIMessageError`` with `malformed` and its relatives; also for an RSA key whose modulus or exponent
    ///   is none. A key of an unknown algorithm is not an error here.
    package init(derEncoded bytes: [UInt8]) throws {
        self = try StrictDER.parse(Self.self, bytes, what: "public key")
    }

    /// An RSA key as SubjectPublicKeyInfo, with NULL parameters (RFC 3279, section 2.3.1).
    package init(rsa key: RSAPublicKey) throws {
        let bits = try StrictDER.serialize(key)
        try self.init(
            derEncoded: StrictDER.serialize { coder in
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    try coder.serialize(SignatureAlgorithmIdentifier.rsaEncryption)
                    try coder.serialize(ASN1BitString(bytes: bits[...]))
                }
            })
    }

    package var isRSA: Bool { self.algorithm == OID.rsaEncryption }

    /// The modulus and exponent of an RSA key; `nil` for other keys.
    package var rsaPublicKey: RSAPublicKey? {
        guard self.isRSA else { return nil }
        // `try?`: the initialiser has parsed the same bytes.
        return try? StrictDER.parse(RSAPublicKey.self, self.keyBits, what: "RSA public key")
    }

    /// SHA-1 of the BIT STRING's content (RFC 5280, section 4.2.1.2, method 1).
    package var keyIdentifier: [UInt8] { Digest.sha1.hash(self.keyBits) }

    /// SHA-256 of the whole structure, as key locators have it.
    package var sha256: [UInt8] { Digest.sha256.hash(self.derBytes) }

    package static func == (lhs: SubjectPublicKeyInfo, rhs: SubjectPublicKeyInfo) -> Bool {
        lhs.derBytes == rhs.derBytes
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.derBytes)
    }
}

extension SubjectPublicKeyInfo: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        let (identifier, bits) = try DER.sequence(node, identifier: identifier) { nodes in
            // An AlgorithmIdentifier has one form, whatever it identifies.
            (try SignatureAlgorithmIdentifier(derEncoded: &nodes), try ASN1BitString(derEncoded: &nodes))
        }
        guard bits.paddingBits == 0, !bits.bytes.isEmpty else {
            throw ASN1Error.invalidASN1Object(reason: "the BIT STRING of a public key is empty or has unused bits")
        }
        self.derBytes = StrictDER.raw(node)
        self.algorithm = identifier.algorithm
        self.parametersDER = identifier.parametersDER
        self.keyBits = Array(bits.bytes)
        self.namedCurve = Self.namedCurve(identifier)
        self.keySizeBits = try Self.sizeBits(identifier, self.namedCurve, self.keyBits)
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        guard identifier == .sequence else {
            throw ASN1Error.unexpectedFieldType(identifier)
        }
        coder.serializeRawBytes(self.derBytes)
    }

    private static let secp256r1DER: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]

    private static func namedCurve(_ identifier: SignatureAlgorithmIdentifier) -> ASN1ObjectIdentifier? {
        guard identifier.algorithm == OID.ecPublicKey, let parameters = identifier.parametersDER else { return nil }
        // Nearly every curve is that one, and its identifier has one encoding.
        if parameters == Self.secp256r1DER { return OID.secp256r1 }
        // `try?`: explicit curve parameters are not an object identifier.
        return try? StrictDER.parse(ASN1ObjectIdentifier.self, parameters, what: "curve")
    }

    private static func sizeBits(
        _ identifier: SignatureAlgorithmIdentifier, _ curve: ASN1ObjectIdentifier?, _ keyBits: [UInt8]
    ) throws -> Int {
        switch identifier.algorithm {
        case OID.rsaEncryption:
            guard identifier.hasNoParameters else {
                throw PKIMessageError.malformed("RSA public key", "its algorithm has parameters")
            }
            return try StrictDER.parse(RSAPublicKey.self, keyBits, what: "RSA public key").modulusBits
        case OID.rsaPSS:
            return try StrictDER.parse(RSAPublicKey.self, keyBits, what: "RSA public key").modulusBits
        case OID.ecPublicKey:
            guard identifier.parametersDER != nil else {
                throw PKIMessageError.malformed("elliptic curve public key", "its curve is missing")
            }
            // P-521 has 66-byte coordinates; of every other named curve the field is whole bytes.
            if curve == OID.secp521r1 { return 521 }
            // RFC 5480, section 2.2: 04 and two coordinates, or 02/03 and one.
            return keyBits[0] == 4 ? (keyBits.count - 1) / 2 * 8 : (keyBits.count - 1) * 8
        case OID.ed25519: return 256
        case OID.ed448: return 456
        default: return keyBits.count * 8
        }
    }
}
