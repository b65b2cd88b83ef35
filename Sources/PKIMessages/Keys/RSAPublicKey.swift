package import SwiftASN1

/// An RSA public key (RFC 8017, appendix A.1.1).
///
///     RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
package struct RSAPublicKey: Hashable, Sendable {
    /// Unsigned big-endian, without leading zeros.
    package let modulus: [UInt8]
    /// Unsigned big-endian, without leading zeros.
    package let publicExponent: [UInt8]

    /// The longest modulus: a longer one only costs time.
    static let maximumModulusBits = 16384
    /// The longest public exponent. 65537 has 17 bits, and a long exponent makes verification slow.
    static let maximumExponentBits = 64

    package init(modulus: some Collection<UInt8>, publicExponent: some Collection<UInt8>) {
        self.modulus = DERInteger.magnitude(content: modulus)
        self.publicExponent = DERInteger.magnitude(content: publicExponent)
    }

    /// The length of the modulus in bits.
    package var modulusBits: Int { Self.bits(self.modulus) }

    private static func bits(_ magnitude: [UInt8]) -> Int {
        magnitude.first.map { magnitude.count * 8 - $0.leadingZeroBitCount } ?? 0
    }
}

extension RSAPublicKey: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        let (modulus, exponent) = try DER.sequence(node, identifier: identifier) { nodes in
            (
                try DERInteger.content(StrictDER.next(&nodes, "modulus")),
                try DERInteger.content(StrictDER.next(&nodes, "publicExponent"))
            )
        }
        guard DERInteger.isMinimalNonNegative(modulus), DERInteger.isMinimalNonNegative(exponent) else {
            throw ASN1Error.invalidASN1Object(reason: "an RSA public key has a negative number")
        }
        self.init(modulus: modulus, publicExponent: exponent)
        // An even modulus or exponent, and the exponent 1, are no RSA keys (RFC 8017, section 3.1).
        guard let low = self.modulus.last, low & 1 == 1, let exponentLow = self.publicExponent.last,
            exponentLow & 1 == 1, self.publicExponent != [1]
        else { throw PKIMessageError.malformed("RSA public key", "modulus or exponent is even, or the exponent is 1") }
        guard self.modulusBits <= Self.maximumModulusBits, Self.bits(self.publicExponent) <= Self.maximumExponentBits
        else {
            throw PKIMessageError.tooLarge("RSA public key", bytes: modulus.count, limit: Self.maximumModulusBits / 8)
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        coder.appendConstructedNode(identifier: identifier) { coder in
            DERInteger.write(content: DERInteger.content(magnitude: self.modulus), into: &coder)
            DERInteger.write(content: DERInteger.content(magnitude: self.publicExponent), into: &coder)
        }
    }
}
