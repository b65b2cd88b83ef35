package import PKIMessages

/// Whether a key is strong enough to be a certification authority's.
package enum AuthorityKeyStrength {
    /// RSA modulus in bits.
    package static let minimumModulusBits = 2048

    /// What speaks against the key; empty for a key that may sign certificates.
    package static func objections(to key: SubjectPublicKeyInfo) throws -> [String] {
        if key.isRSA, key.keySizeBits < self.minimumModulusBits {
            return ["its RSA modulus has \(key.keySizeBits) bits, and at least \(self.minimumModulusBits) are wanted"]
        }
        guard key.isRSA || key.namedCurve != nil else { return ["it is neither RSA nor on a named curve"] }
        // The exponent 3 was usual once and is not broken.
        return try KeyLint(settings: LintSettings(minimumRSAExponent: 3), weakKeys: WeakKeyList())
            .findings(about: key).map(\.text)
    }
}
