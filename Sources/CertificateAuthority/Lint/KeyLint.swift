import Crypto
import PKIMessages
import X509

/// How strong a public key is, as far as one can see.
struct KeyLint: Sendable {
    let settings: LintSettings
    let weakKeys: WeakKeyList

    func findings(about key: SubjectPublicKeyInfo) throws -> [LintFinding] {
        if let rsa = key.rsaPublicKey { return try self.findings(about: rsa) }
        return self.curveFinding(key).map { [$0] } ?? []
    }

    private func findings(about key: RSAPublicKey) throws -> [LintFinding] {
        var findings: [LintFinding] = []
        func add(_ id: String, _ text: String) { findings.append(LintFinding(id, .error, .key, text)) }
        // The parser refuses even moduli, even exponents and the exponent 1.
        if let exponent = key.exponentValue, exponent < self.settings.minimumRSAExponent {
            add(
                "rsa-exponent-too-small",
                "the RSA exponent is \(exponent), and at least \(self.settings.minimumRSAExponent) is wanted")
        }
        if key.modulusBits % 8 != 0 { add("rsa-modulus-size", "the RSA modulus has \(key.modulusBits) bits") }
        if let factor = key.smallFactor { add("rsa-small-factor", "the RSA modulus is divisible by \(factor)") }
        if key.looksLikeROCA {
            add("rsa-roca", "the RSA modulus was made by a library whose keys can be factored (CVE-2017-15361)")
        }
        if self.weakKeys.contains(key) {
            add("rsa-known-weak", "the RSA key is on the list of keys that everybody knows")
        }
        if self.settings.closePrimeRounds > 0, try key.hasClosePrimes(rounds: self.settings.closePrimeRounds) {
            add("rsa-close-primes", "the primes of the RSA modulus are so close that it can be factored")
        }
        return findings
    }

    private func curveFinding(_ key: SubjectPublicKeyInfo) -> LintFinding? {
        switch (key.algorithm, key.namedCurve) {
        case (OID.ed25519, _):
            return key.keyBits.count == 32 ? nil : self.notAPoint
        case (OID.ed448, _):
            return key.keyBits.count == 57 ? nil : self.notAPoint
        case (_, OID.secp256r1?): return self.point { try P256.Signing.PublicKey(x963Representation: key.keyBits) }
        case (_, OID.secp384r1?): return self.point { try P384.Signing.PublicKey(x963Representation: key.keyBits) }
        case (_, OID.secp521r1?): return self.point { try P521.Signing.PublicKey(x963Representation: key.keyBits) }
        default:
            return LintFinding(
                "key-algorithm-unknown", .warning, .key,
                "the key's strength cannot be judged: algorithm \(key.algorithm)")
        }
    }

    /// The library refuses coordinates that are not a point of the curve.
    private func point(_ make: () throws -> some Any) -> LintFinding? {
        do { _ = try make() } catch { return self.notAPoint }
        return nil
    }

    private var notAPoint: LintFinding {
        LintFinding("ec-point-invalid", .error, .key, "the public key is no point of its curve")
    }
}
