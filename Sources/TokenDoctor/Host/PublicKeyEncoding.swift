internal import PKCS11

/// DER of public keys from the attributes of their objects (X.690; RFC 3279, section 2.3).
enum PublicKeyEncoding {
    static func rsa(modulus: [UInt8], publicExponent: [UInt8]) -> [UInt8] {
        let key = self.element(0x30, self.integer(modulus) + self.integer(publicExponent))
        let algorithm: [UInt8] = [
            0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
        ]
        return self.element(0x30, algorithm + self.element(0x03, [0x00] + key))
    }

    static func ec(_ curve: NamedCurve, point: [UInt8]) -> [UInt8] {
        let algorithm = self.element(
            0x30, [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01] + curve.parametersDER)
        return self.element(0x30, algorithm + self.element(0x03, [0x00] + point))
    }

    /// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410, section 4).
    static func ed25519(point: [UInt8]) -> [UInt8] {
        self.element(0x30, [0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70] + self.element(0x03, [0x00] + point))
    }

    /// The point in `CKA_EC_POINT`: bare, or in an OCTET STRING.
    static func ed25519Point(attributeValue: [UInt8]) -> [UInt8]? {
        if attributeValue.count == 32 { return attributeValue }
        return attributeValue.count == 34 && attributeValue.starts(with: [0x04, 0x20])
            ? Array(attributeValue.dropFirst(2)) : nil
    }

    /// DER `ECDSA-Sig-Value` (RFC 3279, section 2.2.3) of r and s side by side.
    static func ecdsaSignature(raw: [UInt8]) -> [UInt8] {
        let half = raw.count / 2
        return self.element(0x30, self.integer(Array(raw.prefix(half))) + self.integer(Array(raw.dropFirst(half))))
    }

    /// DER `DigestInfo` of a SHA-256 digest (RFC 8017, section 9.2, note 1).
    static func digestInfo(_ digest: [UInt8]) -> [UInt8] {
        [
            0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20,
        ] + digest
    }

    private static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        var bytes = Array(magnitude.drop { $0 == 0 })
        if bytes.isEmpty || bytes[0] >= 0x80 { bytes.insert(0, at: 0) }
        return self.element(0x02, bytes)
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        switch count {
        case ..<0x80: return [tag, UInt8(count)] + content
        case ..<0x100: return [tag, 0x81, UInt8(count)] + content
        default: return [tag, 0x82, UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)] + content
        }
    }
}
