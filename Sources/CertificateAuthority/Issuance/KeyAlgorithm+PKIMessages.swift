package import KeyProvider
package import PKIMessages

extension KeyAlgorithm {
    /// That of a public key; `nil` for a key that is neither RSA nor on P-256, P-384 or P-521.
    package init?(_ publicKey: SubjectPublicKeyInfo) {
        switch publicKey.namedCurve {
        case nil where publicKey.isRSA: self = .rsa(modulusBits: publicKey.keySizeBits)
        case OID.secp256r1: self = .p256
        case OID.secp384r1: self = .p384
        case OID.secp521r1: self = .p521
        default: return nil
        }
    }
}
