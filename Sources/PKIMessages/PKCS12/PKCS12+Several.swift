import CLibCrypto
package import SecretMemory

/// Files with several keys.
extension PKCS12 {
    /// A key with its certificate.
    package struct Entry: Sendable {
        /// DER PrivateKeyInfo.
        package let privateKey: SecretBytes
        package let certificate: [UInt8]
        package let friendlyName: String?

        package init(privateKey: SecretBytes, certificate: [UInt8], friendlyName: String?) {
            self.privateKey = privateKey
            self.certificate = certificate
            self.friendlyName = friendlyName
        }
    }

    /// How a file is encrypted and authenticated.
    package enum Protection: Sendable, Hashable {
        /// AES-256-CBC under PBKDF2 with HMAC-SHA-256, and an HMAC-SHA-256.
        case modern(rounds: Int)
        /// pbeWithSHAAnd3-KeyTripleDES-CBC and an HMAC-SHA-1 (RFC 7292, appendix C), for Windows before Server 2016 and
        /// everything of its time.
        case legacy(rounds: Int)

        package static let modern = Protection.modern(rounds: PKCS12.defaultRounds)
        package static let legacy = Protection.legacy(rounds: PKCS12.defaultRounds)

        var rounds: Int32 {
            switch self {
            case .modern(let rounds), .legacy(let rounds): Int32(rounds)
            }
        }

        var cipher: Int32 {
            switch self {
            case .modern: NID_aes_256_cbc
            case .legacy: NID_pbe_WithSHA1And3_Key_TripleDES_CBC
            }
        }

        var macDigest: OpaquePointer? {
            switch self {
            case .modern: EVP_sha256()
            case .legacy: EVP_sha1()
            }
        }
    }

    /// - Parameters:
    ///   - entries: at least one; each certificate's public key must be that of its private key.
    ///   - chain: DER of CA certificates, the issuers first; written once each.
    ///   - password: UTF-8, without a zero byte.
    /// - Returns: DER PFX.
    /// - Throws: ``PKIMessageError``: `keyMismatch`, `malformed`, `invalidValue`.
    package static func make(
        _ entries: [Entry], chain: [[UInt8]], password: SecretBytes, protection: Protection
    ) throws -> SecretBytes {
        guard !entries.isEmpty else { throw PKIMessageError.invalidValue(self.what, "there is no key for it") }
        let bags = PKCS12Bags()
        for entry in entries {
            let info = try PrivateKeyInfo(derEncoded: entry.privateKey)
            guard try info.matches(CertificateFields(derEncoded: entry.certificate).subjectPublicKeyInfo) else {
                throw PKIMessageError.keyMismatch(self.what, "the private key does not belong to the certificate")
            }
            try bags.addCertificate(
                entry.certificate, name: entry.friendlyName, keyID: Digest.sha1.hash(entry.certificate))
        }
        var seen = Set(entries.map(\.certificate))
        for issuer in chain where seen.insert(issuer).inserted {
            _ = try CertificateFields(derEncoded: issuer)
            try bags.addCertificate(issuer, name: nil, keyID: nil)
        }
        let terminated = try self.terminated(password)
        return try terminated.withUnsafeBytes { bytes in
            let characters = bytes.bindMemory(to: CChar.self).baseAddress
            for entry in entries { try bags.addKey(entry, protection.cipher, protection.rounds, characters) }
            let made = try bags.finish(protection.cipher, protection.rounds, characters)
            defer { PKCS12_free(made) }
            try LibCrypto.check(
                PKCS12_set_mac(made, characters, -1, nil, 16, protection.rounds, protection.macDigest), self.what)
            return try LibCrypto.secretDER(self.what) { i2d_PKCS12(made, $0) }
        }
    }

    /// Everything that a file holds.
    package struct AllContents: Sendable {
        package let entries: [Entry]
        /// Of no key in the file, DER.
        package let certificates: [[UInt8]]
        /// Without a certificate in the file, DER PrivateKeyInfo.
        package let keys: [SecretBytes]
    }

    /// Every key of a file that has a certificate in it, and the certificates that belong to none.
    ///
    /// - Throws: ``PKIMessageError``: `malformed` when it is no PKCS #12 file or has no key with a certificate,
    ///   `wrongPassword`.
    package static func openAll(
        _ file: SecretBytes, password: SecretBytes
    ) throws -> (entries: [Entry], certificates: [[UInt8]]) {
        let contents = try self.allContents(of: file, password: password)
        guard !contents.entries.isEmpty else {
            throw PKIMessageError.malformed(self.what, "it has no private key, or no certificate for it")
        }
        return (contents.entries, contents.certificates)
    }

    /// The same for files of every kind: also with certificates alone, as trust stores are, or with keys alone.
    ///
    /// - Throws: ``PKIMessageError``: `malformed` when it is no PKCS #12 file, `wrongPassword`.
    package static func allContents(of file: SecretBytes, password: SecretBytes) throws -> AllContents {
        try self.withVerified(file, password: password) { parsed, characters in
            var found: (keys: [SecretBytes], certificates: [([UInt8], String?)]) = ([], [])
            let bags = try LibCrypto.require(signet_PKCS12_bags(parsed, characters), self.what)
            defer { signet_sk_PKCS12_SAFEBAG_pop_free(bags) }
            for index in 0..<max(0, signet_sk_PKCS12_SAFEBAG_num(bags)) {
                guard let bag = signet_sk_PKCS12_SAFEBAG_value(bags, index) else { continue }
                if let key = try self.key(in: bag, characters) { found.keys.append(key) }
                if let certificate = try self.certificate(in: bag) { found.certificates.append(certificate) }
            }
            return try self.paired(found.keys, found.certificates)
        }
    }

    private static func key(in bag: OpaquePointer, _ password: UnsafePointer<CChar>?) throws -> SecretBytes? {
        switch PKCS12_SAFEBAG_get_nid(bag) {
        case NID_keyBag:
            let info = try LibCrypto.require(PKCS12_SAFEBAG_get0_p8inf(bag), self.what)
            return try LibCrypto.secretDER(self.what) { i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
        case NID_pkcs8ShroudedKeyBag:
            let info = try LibCrypto.require(PKCS12_decrypt_skey(bag, password, -1), self.what)
            defer { PKCS8_PRIV_KEY_INFO_free(info) }
            return try LibCrypto.secretDER(self.what) { i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
        default: return nil
        }
    }

    private static func certificate(in bag: OpaquePointer) throws -> ([UInt8], String?)? {
        guard PKCS12_SAFEBAG_get_nid(bag) == NID_certBag,
            PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate
        else { return nil }
        let certificate = try LibCrypto.require(PKCS12_SAFEBAG_get1_cert(bag), self.what)
        defer { X509_free(certificate) }
        let name = PKCS12_get_friendlyname(bag)
        defer { signet_OPENSSL_free(name) }
        return (
            try LibCrypto.der(self.what) { i2d_X509(certificate, $0) }, name.map { String(cString: $0) }
        )
    }

    private static func paired(_ keys: [SecretBytes], _ certificates: [([UInt8], String?)]) throws -> AllContents {
        var entries: [Entry] = []
        var lonely: [SecretBytes] = []
        var others = try certificates.map { ($0.0, $0.1, try CertificateFields(derEncoded: $0.0)) }
        for key in keys {
            let publicKey = try PrivateKeyInfo(derEncoded: key).subjectPublicKeyInfo()
            let index = others.firstIndex { $0.2.subjectPublicKeyInfo.sha256 == publicKey.sha256 }
            guard let index else {
                lonely.append(key)
                continue
            }
            let (der, name, _) = others.remove(at: index)
            entries.append(Entry(privateKey: key, certificate: der, friendlyName: name))
        }
        return AllContents(entries: entries, certificates: others.map(\.0), keys: lonely)
    }
}

/// The bags of a file that is being made; freed with their owner.
private final class PKCS12Bags {
    private var certificates: OpaquePointer?
    private var keys: OpaquePointer?

    deinit {
        signet_sk_PKCS12_SAFEBAG_pop_free(self.certificates)
        signet_sk_PKCS12_SAFEBAG_pop_free(self.keys)
    }

    func addCertificate(_ der: [UInt8], name: String?, keyID: [UInt8]?) throws {
        let certificate = try X509Pointer(der)
        let bag = try LibCrypto.require(PKCS12_add_cert(&self.certificates, certificate.pointer), PKCS12.what)
        try self.mark(bag, name: name, keyID: keyID)
    }

    func addKey(
        _ entry: PKCS12.Entry, _ cipher: Int32, _ rounds: Int32, _ password: UnsafePointer<CChar>?
    ) throws {
        let info = try PrivateKeyInfo(derEncoded: entry.privateKey)
        let key = try info.key()
        // A token wraps a key on a curve without its public half, which some readers want beside it.
        if info.algorithm == OID.ecPublicKey {
            try LibCrypto.check(
                EVP_PKEY_set_int_param(key.pointer, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 1), PKCS12.what)
        }
        let bag = try LibCrypto.require(
            PKCS12_add_key(&self.keys, key.pointer, 0, rounds, cipher, password), PKCS12.what)
        try self.mark(bag, name: entry.friendlyName, keyID: Digest.sha1.hash(entry.certificate))
    }

    private func mark(_ bag: OpaquePointer, name: String?, keyID: [UInt8]?) throws {
        if let name {
            try LibCrypto.check(PKCS12_add_friendlyname_utf8(bag, name, Int32(name.utf8.count)), PKCS12.what)
        }
        if var keyID {
            try LibCrypto.check(PKCS12_add_localkeyid(bag, &keyID, Int32(keyID.count)), PKCS12.what)
        }
    }

    /// Keys are encrypted each by itself, certificates together.
    func finish(_ cipher: Int32, _ rounds: Int32, _ password: UnsafePointer<CChar>?) throws -> OpaquePointer {
        var safes: OpaquePointer?
        defer { signet_sk_PKCS7_pop_free(safes) }
        try LibCrypto.check(PKCS12_add_safe(&safes, self.certificates, cipher, rounds, password), PKCS12.what)
        try LibCrypto.check(PKCS12_add_safe(&safes, self.keys, -1, 0, nil), PKCS12.what)
        return try LibCrypto.require(PKCS12_add_safes(safes, 0), PKCS12.what)
    }
}
