import CRawPKCS11

/// PKCS #12 files by libcrypto alone.
package enum RawPKCS12 {
    /// Checks the MAC and decrypts key and certificate.
    package static func opens(_ file: [UInt8], password: String) -> Bool {
        file.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            guard let parsed = d2i_PKCS12(nil, &position, bytes.count) else { return false }
            defer { PKCS12_free(parsed) }
            var (key, certificate): (OpaquePointer?, OpaquePointer?)
            defer {
                EVP_PKEY_free(key)
                X509_free(certificate)
            }
            return PKCS12_parse(parsed, password, &key, &certificate, nil) == 1 && key != nil
        }
    }
}
