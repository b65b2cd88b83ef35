package import KeyProvider
internal import PKCS11

/// DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) from and to what tokens store.
package enum SubjectPublicKeyInfo {
    private static let rsaEncryption: [UInt8] = [
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01,
    ]
    private static let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]

    /// RFC 3279, section 2.3.1.
    static func rsa(modulus: [UInt8], publicExponent: [UInt8]) -> [UInt8] {
        let key = DERWriter.sequence([DERWriter.integer(modulus), DERWriter.integer(publicExponent)])
        return DERWriter.sequence([
            DERWriter.sequence([self.rsaEncryption, DERWriter.null]), DERWriter.bitString(key),
        ])
    }

    /// RFC 5480, section 2.
    static func ec(_ curve: NamedCurve, uncompressedPoint: [UInt8]) -> [UInt8] {
        DERWriter.sequence([
            DERWriter.sequence([self.ecPublicKey, curve.parametersDER]), DERWriter.bitString(uncompressedPoint),
        ])
    }

    /// RFC 8410, section 4.
    static func ed25519(_ point: [UInt8]) -> [UInt8] {
        DERWriter.sequence([DERWriter.sequence([[0x06, 0x03, 0x2B, 0x65, 0x70]]), DERWriter.bitString(point)])
    }

    /// The bare point in `CKA_EC_POINT`: PKCS #11 v3.0 has a DER OCTET STRING, some devices the point itself.
    private static func edwardsPoint(_ value: [UInt8]) -> [UInt8]? {
        if value.count == 32 { return value }
        guard value.count == 34, value.starts(with: [0x04, 0x20]) else { return nil }
        return Array(value.dropFirst(2))
    }

    /// The public key in the attributes of a key object, with its algorithm; `nil` when they do not tell it or the
    /// algorithm is not one of ``KeyAlgorithm``.
    static func read(_ attributes: AttributeTemplate) -> (der: [UInt8], algorithm: KeyAlgorithm)? {
        switch attributes[.keyType] {
        case .rsa?:
            guard let modulus = attributes[.modulus].map({ Array($0.drop { $0 == 0 }) }), modulus.count >= 64,
                let exponent = attributes[.publicExponent], exponent.contains(where: { $0 != 0 })
            else { return nil }
            let bits = modulus.count * 8 - modulus[0].leadingZeroBitCount
            return (self.rsa(modulus: modulus, publicExponent: exponent), .rsa(modulusBits: bits))
        case .ec?:
            guard let curve = attributes[.ecParameters].flatMap(NamedCurve.init(parametersDER:)),
                let point = attributes[.ecPoint].flatMap(curve.uncompressedPoint(attributeValue:))
            else { return nil }
            return (self.ec(curve, uncompressedPoint: point), KeyAlgorithm(curve))
        case .ecEdwards?:
            guard let parameters = attributes[.ecParameters], KeyAlgorithm.ed25519Parameters.contains(parameters),
                let point = attributes[.ecPoint].flatMap(self.edwardsPoint)
            else { return nil }
            return (self.ed25519(point), .ed25519)
        default: return nil
        }
    }

    /// Modulus and exponent of an RSA key, read strictly.
    ///
    /// - Throws: ``KeyProviderError`` with code `invalidPublicKey`.
    package static func rsaComponents(
        _ der: [UInt8], operation: String
    ) throws(KeyProviderError) -> (modulus: [UInt8], publicExponent: [UInt8]) {
        do throws(DERFault) {
            guard der.count <= 4096 else { throw DERFault(expected: "a shorter SubjectPublicKeyInfo") }
            var outer = DERReader(der[...])
            var info = DERReader(try outer.element(0x30, "SubjectPublicKeyInfo").content)
            try outer.end()
            let algorithm = try info.element(0x30, "AlgorithmIdentifier").content
            guard Array(algorithm) == self.rsaEncryption + DERWriter.null else {
                throw DERFault(expected: "rsaEncryption")
            }
            let bits = try info.element(0x03, "subjectPublicKey").content
            try info.end()
            guard bits.first == 0 else { throw DERFault(expected: "a BIT STRING of whole bytes") }
            var wrapper = DERReader(bits.dropFirst())
            var key = DERReader(try wrapper.element(0x30, "RSAPublicKey").content)
            try wrapper.end()
            let modulus = try key.positiveInteger("modulus")
            let exponent = try key.positiveInteger("publicExponent")
            try key.end()
            guard (128...2048).contains(modulus.count), exponent.count <= 8 else {
                throw DERFault(expected: "an RSA key of 1024 to 16384 bits")
            }
            return (modulus, exponent)
        } catch {
            throw .invalidPublicKey(operation: operation, expected: error.expected)
        }
    }

    /// The algorithm of a key, read strictly; `nil` for keys that cannot be used here.
    static func algorithm(of der: [UInt8]) -> KeyAlgorithm? {
        // `try?`: the question is only which of these it is.
        for curve in NamedCurve.allCases where (try? self.point(der, on: curve, operation: "")) != nil {
            return KeyAlgorithm(curve)
        }
        guard let numbers = try? self.rsaComponents(der, operation: ""), let first = numbers.modulus.first else {
            return nil
        }
        return .rsa(modulusBits: numbers.modulus.count * 8 - first.leadingZeroBitCount)
    }

    /// The uncompressed point of a key on a curve, read strictly.
    ///
    /// - Throws: ``KeyProviderError`` with code `invalidPublicKey`.
    static func point(
        _ der: [UInt8], on curve: NamedCurve, operation: String
    ) throws(KeyProviderError) -> [UInt8] {
        let point = Array(der.suffix(1 + 2 * curve.fieldBytes))
        guard self.ec(curve, uncompressedPoint: point) == der, point.first == 4 else {
            throw .invalidPublicKey(operation: operation, expected: "an uncompressed point of the curve")
        }
        return point
    }
}

extension KeyAlgorithm {
    init(_ curve: NamedCurve) {
        switch curve {
        case .p256: self = .p256
        case .p384: self = .p384
        case .p521: self = .p521
        }
    }

    /// What `CKA_EC_PARAMS` has for Ed25519: the PrintableString of PKCS #11 v3.0, section 2.3.5, which makes keys, and
    /// the OBJECT IDENTIFIER of RFC 8410 and an older one, which some devices give back.
    static let ed25519Parameters: [[UInt8]] = [
        [0x13, 0x0C] + Array("edwards25519".utf8), [0x06, 0x03, 0x2B, 0x65, 0x70],
        [0x06, 0x09, 0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01],
    ]

    /// The curve of an ECDSA key, `nil` for others.
    var curve: NamedCurve? {
        switch self {
        case .rsa, .ed25519: nil
        case .p256: .p256
        case .p384: .p384
        case .p521: .p521
        }
    }

    var keyType: KeyType {
        switch self {
        case .rsa: .rsa
        case .p256, .p384, .p521: .ec
        case .ed25519: .ecEdwards
        }
    }
}
