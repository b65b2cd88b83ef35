import CLibCrypto
package import SecretMemory

extension PKCS12 {
    /// Certificates that are trusted, without keys, in the form that Java takes for a trust store: each has Oracle's attribute
    /// trustedKeyUsage (2.16.840.1.113894.746875.1.1) with anyExtendedKeyUsage. Without it Java sees no entry.
    ///
    /// - Parameters:
    ///   - certificates: DER, each with the alias under which Java lists it.
    ///   - password: UTF-8, without a zero byte.
    /// - Throws: ``PKIMessageError``: `malformed`, `invalidValue`.
    package static func trustStore(
        _ certificates: [(certificate: [UInt8], name: String)], password: SecretBytes,
        protection: Protection = .modern
    ) throws -> SecretBytes {
        guard !certificates.isEmpty else {
            throw PKIMessageError.invalidValue(self.what, "there is no certificate for it")
        }
        var bags: OpaquePointer?
        defer { signet_sk_PKCS12_SAFEBAG_pop_free(bags) }
        let anyPurpose = try LibCrypto.require(OBJ_txt2obj("2.5.29.37.0", 1), self.what)
        defer { ASN1_OBJECT_free(anyPurpose) }
        for (der, name) in certificates {
            let certificate = try X509Pointer(der)
            let bag = try LibCrypto.require(PKCS12_add_cert(&bags, certificate.pointer), self.what)
            try LibCrypto.check(PKCS12_add_friendlyname_utf8(bag, name, Int32(name.utf8.count)), self.what)
            // With a length of -1, the value is an object of the type that is named.
            try LibCrypto.check(
                PKCS12_add1_attr_by_txt(
                    bag, "2.16.840.1.113894.746875.1.1", V_ASN1_OBJECT, UnsafePointer<UInt8>(anyPurpose), -1), self.what
            )
        }
        let terminated = try self.terminated(password)
        return try terminated.withUnsafeBytes { bytes in
            let characters = bytes.bindMemory(to: CChar.self).baseAddress
            var safes: OpaquePointer?
            defer { signet_sk_PKCS7_pop_free(safes) }
            try LibCrypto.check(
                PKCS12_add_safe(&safes, bags, protection.cipher, protection.rounds, characters), self.what)
            let made = try LibCrypto.require(PKCS12_add_safes(safes, 0), self.what)
            defer { PKCS12_free(made) }
            try LibCrypto.check(
                PKCS12_set_mac(made, characters, -1, nil, 16, protection.rounds, protection.macDigest), self.what)
            return try LibCrypto.secretDER(self.what) { i2d_PKCS12(made, $0) }
        }
    }
}
