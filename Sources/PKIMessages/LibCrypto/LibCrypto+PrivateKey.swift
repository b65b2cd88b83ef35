import CLibCrypto
import SecretMemory

extension LibCrypto {
    /// An `EVP_PKEY` with a software private key in it, for the time of a few calls on one thread. libcrypto wipes its
    /// numbers when it is freed. Requesters' own keys, and a key of a certification authority only while it is imported from
    /// software, or written into a PKCS #12 again.
    final class PrivateKey {
        let pointer: OpaquePointer

        /// - Parameter pkcs8: DER PrivateKeyInfo, version 0.
        /// - Throws: ``PKIMessageError`` with `malformed` when it is none.
        init(pkcs8: SecretBytes) throws {
            let info = pkcs8.withUnsafeBytes { bytes in
                var cursor = bytes.bindMemory(to: UInt8.self).baseAddress
                return d2i_PKCS8_PRIV_KEY_INFO(nil, &cursor, bytes.count)
            }
            // Frees the structure and wipes the key in it.
            defer { PKCS8_PRIV_KEY_INFO_free(info) }
            guard let info, let pointer = EVP_PKCS82PKEY(info) else {
                LibCrypto.drainErrors()
                throw PKIMessageError.malformed("private key", "libcrypto cannot read it")
            }
            self.pointer = pointer
        }

        /// Takes over a key that libcrypto made.
        init(owning pointer: OpaquePointer) {
            self.pointer = pointer
        }

        deinit {
            EVP_PKEY_free(self.pointer)
        }

        static func generate(_ kind: SoftwareKeys.Kind) throws -> PrivateKey {
            let what = "key generation"
            let type =
                switch kind {
                case .rsa: EVP_PKEY_RSA
                case .p256, .p384, .p521: EVP_PKEY_EC
                case .ed25519: EVP_PKEY_ED25519
                }
            let context = try LibCrypto.require(EVP_PKEY_CTX_new_id(type, nil), what)
            defer { EVP_PKEY_CTX_free(context) }
            try LibCrypto.check(EVP_PKEY_keygen_init(context), what)
            switch kind {
            case .rsa(let bits): try LibCrypto.check(EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)), what)
            case .p256:
                try LibCrypto.check(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1), what)
            case .p384: try LibCrypto.check(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_secp384r1), what)
            case .p521:
                try LibCrypto.check(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_secp521r1), what)
            case .ed25519: break
            }
            var made: OpaquePointer?
            try LibCrypto.check(EVP_PKEY_keygen(context, &made), what)
            return PrivateKey(owning: try LibCrypto.require(made, what))
        }

        /// DER PrivateKeyInfo.
        func pkcs8() throws -> SecretBytes {
            let what = "private key encoding"
            let info = try LibCrypto.require(EVP_PKEY2PKCS8(self.pointer), what)
            defer { PKCS8_PRIV_KEY_INFO_free(info) }
            return try LibCrypto.secretDER(what) { i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
        }

        /// DER SubjectPublicKeyInfo.
        func publicKeyDER() throws -> [UInt8] {
            try LibCrypto.der("public key encoding") { i2d_PUBKEY(self.pointer, $0) }
        }

        /// - Parameter digest: `nil` for keys that hash by themselves (Ed25519).
        func sign(_ message: [UInt8], digest: Digest?) throws -> [UInt8] {
            let what = "signature"
            let context = try LibCrypto.require(EVP_MD_CTX_new(), what)
            defer { EVP_MD_CTX_free(context) }
            let md = digest.flatMap(LibCrypto.messageDigest)
            try LibCrypto.check(EVP_DigestSignInit(context, nil, md, nil, self.pointer), what)
            var count = 0
            try LibCrypto.check(EVP_DigestSign(context, nil, &count, message, message.count), what)
            var signature = [UInt8](repeating: 0, count: count)
            try LibCrypto.check(EVP_DigestSign(context, &signature, &count, message, message.count), what)
            return Array(signature.prefix(count))
        }

        /// - Throws: ``PKIMessageError`` with `decryptionFailed`, the same for every reason.
        func decrypt(_ ciphertext: [UInt8], transport: TransportPadding) throws -> SecretBytes {
            let what = "RSA decryption"
            let context = try LibCrypto.require(EVP_PKEY_CTX_new(self.pointer, nil), what)
            defer { EVP_PKEY_CTX_free(context) }
            try LibCrypto.check(EVP_PKEY_decrypt_init(context), what)
            try LibCrypto.setPadding(transport, context, what)
            var count = 0
            try LibCrypto.check(EVP_PKEY_decrypt(context, nil, &count, ciphertext, ciphertext.count), what)
            return try SecretBytes(capacity: count) { buffer in
                let output = buffer.bindMemory(to: UInt8.self).baseAddress
                let result = EVP_PKEY_decrypt(context, output, &count, ciphertext, ciphertext.count)
                LibCrypto.drainErrors()
                guard result > 0 else { throw PKIMessageError.decryptionFailed("encrypted key") }
                return count
            }
        }
    }

    /// Runs an `i2d_` function into locked memory.
    static func secretDER(
        _ what: String, _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) throws -> SecretBytes {
        let count = encode(nil)
        try self.check(count, what)
        return try SecretBytes(capacity: Int(count)) { buffer in
            var cursor = buffer.bindMemory(to: UInt8.self).baseAddress
            try self.check(encode(&cursor), what)
            return Int(count)
        }
    }

    /// Runs an `i2d_` function whose result is public.
    static func der(
        _ what: String, _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) throws -> [UInt8] {
        let count = encode(nil)
        try self.check(count, what)
        return try [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, written in
            var cursor = buffer.baseAddress
            try self.check(encode(&cursor), what)
            written = Int(count)
        }
    }
}
