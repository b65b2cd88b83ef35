import CLibCrypto
package import SecretMemory

/// An agreement on a secret with the holder of a key on a NIST curve, by a key pair that is made for it and forgotten
/// (NIST SP 800-56A, section 6.2.2): who computes the same secret has the private key.
package struct KeyAgreement: Sendable {
    /// The public key that was made for it, an uncompressed point (SEC 1, section 2.3.3).
    package let point: [UInt8]
    /// The X coordinate of what is agreed on, as long as the field.
    package let secret: SecretBytes

    /// - Parameter publicKey: of the other side, on P-256, P-384 or P-521.
    /// - Throws: ``PKIMessageError``: `unsupportedAlgorithm` for another key, `libcryptoFailed` for a point that is not on
    ///   its curve.
    package init(with publicKey: SubjectPublicKeyInfo) throws {
        guard let kind = publicKey.curveKind else {
            throw PKIMessageError.unsupportedAlgorithm("key agreement", publicKey.algorithm)
        }
        let own = try LibCrypto.PrivateKey.generate(kind)
        self.point = try SubjectPublicKeyInfo(derEncoded: own.publicKeyDER()).keyBits
        self.secret = try own.agree(with: LibCrypto.PublicKey(publicKey))
    }
}

extension SubjectPublicKeyInfo {
    /// Which of the curves that can be used here the key is on.
    fileprivate var curveKind: SoftwareKeys.Kind? {
        switch self.namedCurve {
        case OID.secp256r1: .p256
        case OID.secp384r1: .p384
        case OID.secp521r1: .p521
        default: nil
        }
    }
}

extension LibCrypto.PrivateKey {
    /// Elliptic curve Diffie-Hellman. libcrypto checks that the point is on the curve.
    fileprivate func agree(with peer: LibCrypto.PublicKey) throws -> SecretBytes {
        let what = "key agreement"
        let context = try LibCrypto.require(EVP_PKEY_CTX_new(self.pointer, nil), what)
        defer { EVP_PKEY_CTX_free(context) }
        try LibCrypto.check(EVP_PKEY_derive_init(context), what)
        try LibCrypto.check(EVP_PKEY_derive_set_peer(context, peer.pointer), what)
        var count = 0
        try LibCrypto.check(EVP_PKEY_derive(context, nil, &count), what)
        return try SecretBytes(capacity: count) { buffer in
            try LibCrypto.check(
                EVP_PKEY_derive(context, buffer.bindMemory(to: UInt8.self).baseAddress, &count), what)
            return count
        }
    }
}
