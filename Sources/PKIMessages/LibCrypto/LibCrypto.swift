import CLibCrypto

/// OpenSSL 3 libcrypto: everything that swift-crypto does not do. All calls into it from this module are in this folder.
package enum LibCrypto {
    /// Random bytes from libcrypto's generator: the default of everything that takes a source of randomness.
    ///
    /// - Throws: ``PKIMessageError`` with code `libcryptoFailed` when the generator cannot be seeded.
    @Sendable
    package static func randomBytes(_ count: Int) throws -> [UInt8] {
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        try self.check(RAND_bytes(&bytes, Int32(count)), "random bytes")
        return bytes
    }

    /// Has libcrypto stay whole until the process is gone. Else `exit` frees what a thread that ends at that moment uses, and a
    /// command that has done its work ends with a segmentation fault (OPENSSL_init_crypto(3), `OPENSSL_INIT_NO_ATEXIT`). What
    /// is secret is wiped by who has it, not by that.
    ///
    /// Before anything else in the process uses libcrypto, PKCS #11 modules included: the first use decides.
    package static func keepUntilExit() throws {
        try self.check(OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil), "libcrypto")
    }

    /// Throws what is in the error queue unless `result` is positive.
    static func check(_ result: Int32, _ what: String) throws {
        guard result > 0 else { throw self.failure(what) }
    }

    /// Throws what is in the error queue when `pointer` is `nil`.
    static func require<T>(_ pointer: T?, _ what: String) throws -> T {
        guard let pointer else { throw self.failure(what) }
        return pointer
    }

    static func failure(_ what: String) -> PKIMessageError {
        .libcryptoFailed(what, reasons: self.drainErrors())
    }

    /// Empties this thread's error queue and gives libcrypto's reason strings: fixed texts without data.
    @discardableResult
    static func drainErrors() -> [String] {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return reasons }
            reasons.append(ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)")
        }
    }

    static func messageDigest(_ digest: Digest) -> OpaquePointer? {
        switch digest {
        case .sha1: EVP_sha1()
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        }
    }

    /// Sets RSA padding on an encryption or decryption context.
    static func setPadding(_ transport: TransportPadding, _ context: OpaquePointer, _ what: String) throws {
        switch transport {
        case .pkcs1v15:
            try self.check(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), what)
        case .oaep(let digest):
            let md = self.messageDigest(digest)
            try self.check(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), what)
            try self.check(EVP_PKEY_CTX_set_rsa_oaep_md(context, md), what)
            try self.check(EVP_PKEY_CTX_set_rsa_mgf1_md(context, md), what)
        }
    }
}
