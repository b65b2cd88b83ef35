import CLibCrypto
package import SecretMemory

/// Keys of requesters, made and used in software, and those that another key is encrypted to on its way into a file. Never a
/// key of a certification authority, an exchange key or a key recovery agent's key: those are made on tokens only.
package enum SoftwareKeys {
    package enum Kind: Hashable, Sendable {
        case rsa(bits: Int)
        case p256, p384, p521, ed25519
    }

    /// PBKDF2 rounds for ``encryptedPEM(_:password:rounds:)``.
    package static let defaultRounds = 600_000

    /// - Returns: DER PrivateKeyInfo.
    package static func generate(_ kind: Kind) throws -> SecretBytes {
        if case .rsa(let bits) = kind, !(1024...RSAPublicKey.maximumModulusBits).contains(bits) {
            throw PKIMessageError.invalidValue("RSA key", "\(bits) is not a length between 1024 and 16384 bits")
        }
        return try LibCrypto.PrivateKey.generate(kind).pkcs8()
    }

    /// - Parameters:
    ///   - privateKey: DER PrivateKeyInfo.
    ///   - digest: the hash; Ed25519 keys have their own and ignore it.
    /// - Returns: RSASSA-PKCS1-v1_5, DER `ECDSA-Sig-Value`, or Ed25519.
    package static func sign(_ message: [UInt8], with privateKey: SecretBytes, digest: Digest) throws -> [UInt8] {
        let info = try PrivateKeyInfo(derEncoded: privateKey)
        let hashesItself = info.algorithm == OID.ed25519 || info.algorithm == OID.ed448
        return try info.key().sign(message, digest: hashesItself ? nil : digest)
    }

    /// The key as PEM `ENCRYPTED PRIVATE KEY` (RFC 5958, section 3): AES-256-CBC, PBKDF2 with HMAC-SHA-256 (RFC 8018).
    package static func encryptedPEM(
        _ privateKey: SecretBytes, password: SecretBytes, rounds: Int = defaultRounds
    ) throws -> [UInt8] {
        let what = "private key encryption"
        let key = try PrivateKeyInfo(derEncoded: privateKey).key()
        let info = try LibCrypto.require(EVP_PKEY2PKCS8(key.pointer), what)
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        let encrypted = try password.withUnsafeBytes { bytes in
            try LibCrypto.require(
                PKCS8_encrypt(
                    -1, EVP_aes_256_cbc(), bytes.bindMemory(to: CChar.self).baseAddress, Int32(bytes.count), nil, 16,
                    Int32(rounds), info), what)
        }
        defer { X509_SIG_free(encrypted) }
        let der = try LibCrypto.der(what) { i2d_X509_SIG(encrypted, $0) }
        return Array(TextEncoding.pem(der, label: "ENCRYPTED PRIVATE KEY").utf8)
    }

    /// Opens what ``encryptedPEM(_:password:rounds:)`` makes.
    ///
    /// - Returns: DER PrivateKeyInfo.
    /// - Throws: ``PKIMessageError``: `malformed` when it is no EncryptedPrivateKeyInfo, `wrongPassword`.
    package static func open(encryptedPEM pem: [UInt8], password: SecretBytes) throws -> SecretBytes {
        let what = "encrypted private key"
        let der = try TextEncoding.decode(pem, what: what)
        _ = try StrictDER.node(der, what: what)
        let encrypted = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_X509_SIG(nil, &cursor, buffer.count)
        }
        defer { X509_SIG_free(encrypted) }
        guard let encrypted else {
            LibCrypto.drainErrors()
            throw PKIMessageError.malformed(what, "it is not an EncryptedPrivateKeyInfo")
        }
        let info = password.withUnsafeBytes { bytes in
            PKCS8_decrypt(encrypted, bytes.bindMemory(to: CChar.self).baseAddress, Int32(bytes.count))
        }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        LibCrypto.drainErrors()
        guard let info else { throw PKIMessageError.wrongPassword(what) }
        let opened = try LibCrypto.secretDER(what) { i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
        return try PrivateKeyInfo(derEncoded: opened).derBytes
    }
}

extension SubjectPublicKeyInfo {
    /// What a requester signs with a key of this kind; `nil` for a key that cannot sign.
    package var defaultSignatureAlgorithm: SignatureAlgorithmIdentifier? {
        switch self.algorithm {
        case OID.rsaEncryption: .sha256WithRSA
        case OID.ed25519: .ed25519
        case OID.ecPublicKey where self.keySizeBits > 384: .ecdsaWithSHA512
        case OID.ecPublicKey where self.keySizeBits > 256: .ecdsaWithSHA384
        case OID.ecPublicKey: .ecdsaWithSHA256
        default: nil
        }
    }
}
