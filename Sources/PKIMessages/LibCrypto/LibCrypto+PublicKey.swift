import CLibCrypto

extension LibCrypto {
    /// An `EVP_PKEY` with a public key in it, for the time of a few calls on one thread.
    final class PublicKey {
        let pointer: OpaquePointer

        /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` when libcrypto does not know the key.
        init(_ key: SubjectPublicKeyInfo) throws {
            if let numbers = key.rsaPublicKey {
                self.pointer = try LibCrypto.publicKey(numbers)
                return
            }
            var pointer: OpaquePointer?
            let bytes = key.derBytes
            bytes.withUnsafeBufferPointer { buffer in
                var cursor = buffer.baseAddress
                pointer = d2i_PUBKEY(nil, &cursor, buffer.count)
            }
            LibCrypto.drainErrors()
            guard let pointer else { throw PKIMessageError.unsupportedAlgorithm("public key", key.algorithm) }
            self.pointer = pointer
        }

        deinit {
            EVP_PKEY_free(self.pointer)
        }

        func isValidSignature(_ signature: [UInt8], over bytes: [UInt8], scheme: SignatureScheme) throws -> Bool {
            let what = "signature check"
            let context = try LibCrypto.require(EVP_MD_CTX_new(), what)
            defer { EVP_MD_CTX_free(context) }
            // Owned by `context`.
            var keyContext: OpaquePointer?
            try LibCrypto.check(
                EVP_DigestVerifyInit(
                    context, &keyContext, scheme.digest.flatMap(LibCrypto.messageDigest), nil, self.pointer), what)
            if case .rsaPSS(let parameters) = scheme {
                try LibCrypto.check(EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING), what)
                try LibCrypto.check(
                    EVP_PKEY_CTX_set_rsa_mgf1_md(keyContext, LibCrypto.messageDigest(parameters.digest)), what)
                try LibCrypto.check(
                    EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, Int32(parameters.saltBytes)), what)
            }
            // 1 for a good signature; 0 and negative numbers for one that is wrong or is no signature at all.
            let result = EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count)
            LibCrypto.drainErrors()
            return result == 1
        }

        func isValidSignature(
            _ signature: [UInt8], overDigest digest: [UInt8], hash: Digest, scheme: SignatureScheme
        ) throws -> Bool {
            let what = "signature check"
            let context = try LibCrypto.require(EVP_PKEY_CTX_new(self.pointer, nil), what)
            defer { EVP_PKEY_CTX_free(context) }
            try LibCrypto.check(EVP_PKEY_verify_init(context), what)
            switch scheme {
            case .rsaPKCS1v15: try LibCrypto.check(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), what)
            case .rsaPSS(let parameters):
                try LibCrypto.check(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), what)
                try LibCrypto.check(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, Int32(parameters.saltBytes)), what)
            case .ecdsa, .edDSA: break
            }
            try LibCrypto.check(EVP_PKEY_CTX_set_signature_md(context, LibCrypto.messageDigest(hash)), what)
            let result = EVP_PKEY_verify(context, signature, signature.count, digest, digest.count)
            LibCrypto.drainErrors()
            return result == 1
        }

        func encrypt(_ plaintext: UnsafeRawBufferPointer, transport: TransportPadding) throws -> [UInt8] {
            let what = "RSA encryption"
            let context = try LibCrypto.require(EVP_PKEY_CTX_new(self.pointer, nil), what)
            defer { EVP_PKEY_CTX_free(context) }
            try LibCrypto.check(EVP_PKEY_encrypt_init(context), what)
            try LibCrypto.setPadding(transport, context, what)
            let input = plaintext.bindMemory(to: UInt8.self)
            var count = 0
            try LibCrypto.check(EVP_PKEY_encrypt(context, nil, &count, input.baseAddress, input.count), what)
            var ciphertext = [UInt8](repeating: 0, count: count)
            try LibCrypto.check(EVP_PKEY_encrypt(context, &ciphertext, &count, input.baseAddress, input.count), what)
            return Array(ciphertext.prefix(count))
        }
    }

    /// Made of the numbers: libcrypto's decoder asks each of its parts whether it knows the bytes, and takes ten times as long.
    private static func publicKey(_ numbers: RSAPublicKey) throws -> OpaquePointer {
        let what = "RSA public key"
        let modulus = try self.number(numbers.modulus, what)
        defer { BN_free(modulus) }
        let exponent = try self.number(numbers.publicExponent, what)
        defer { BN_free(exponent) }
        let builder = try self.require(OSSL_PARAM_BLD_new(), what)
        defer { OSSL_PARAM_BLD_free(builder) }
        // libcrypto keeps the pointers to the names until the key is made (provider-keymgmt(7) has the names).
        let (modulusName, exponentName): (StaticString, StaticString) = ("n", "e")
        for (name, number) in [(modulusName, modulus), (exponentName, exponent)] {
            try self.check(OSSL_PARAM_BLD_push_BN(builder, name.characters, number), what)
        }
        let parameters = try self.require(OSSL_PARAM_BLD_to_param(builder), what)
        defer { OSSL_PARAM_free(parameters) }
        return try self.key("RSA", signet_EVP_PKEY_PUBLIC_KEY(), parameters, what)
    }

    private static func number(_ magnitude: [UInt8], _ what: String) throws -> OpaquePointer {
        try self.require(BN_bin2bn(magnitude, Int32(magnitude.count), nil), what)
    }
}
