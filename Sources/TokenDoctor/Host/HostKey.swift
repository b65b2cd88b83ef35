internal import CLibCrypto
internal import PKCS11

/// A public key in libcrypto: the judge of what a token's private key did.
///
/// `@unchecked Sendable`: the `EVP_PKEY` is never changed after it is made, and libcrypto counts its references
/// atomically (OpenSSL 3.0, EVP_PKEY_new(3)).
final class HostKey: @unchecked Sendable {
    private let key: OpaquePointer

    private init(_ key: OpaquePointer) { self.key = key }

    deinit { EVP_PKEY_free(self.key) }

    /// - Returns: `nil` when libcrypto does not take the DER SubjectPublicKeyInfo.
    convenience init?(subjectPublicKeyInfo: [UInt8]) {
        let key = subjectPublicKeyInfo.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var position = buffer.baseAddress
            return d2i_PUBKEY(nil, &position, buffer.count)
        }
        guard let key else { return nil }
        self.init(key)
    }

    /// A fresh RSA key pair: what a requester would send for archival. `nil` when libcrypto cannot make one.
    static func makeRSA(bits: Int) -> HostKey? {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1,
            EVP_PKEY_keygen(context, &key) == 1, let key
        else { return nil }
        return HostKey(key)
    }

    /// DER PrivateKeyInfo (RFC 5958); `nil` for a public key.
    var privateKeyInfo: [UInt8]? {
        guard let info = EVP_PKEY2PKCS8(self.key) else { return nil }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        return HostKey.encoded { i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
    }

    /// DER RSAPublicKey (RFC 8017, appendix A.1.1) as modulus and exponent.
    var rsaComponents: (modulus: [UInt8], publicExponent: [UInt8])? {
        guard let modulus = self.number("n"), let exponent = self.number("e") else { return nil }
        return (modulus, exponent)
    }

    /// What a signature is made with, beside the key.
    enum Scheme: Sendable {
        /// SHA-256, and PKCS #1 v1.5 for RSA.
        case hashed
        /// SHA-256 and PSS with a salt of 32 bytes.
        case pss
        /// The message itself, as EdDSA takes it.
        case whole
    }

    func verifies(_ signature: [UInt8], of message: [UInt8], _ scheme: Scheme = .hashed) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        let digest = scheme == .whole ? nil : EVP_sha256()
        guard EVP_DigestVerifyInit(context, &parameters, digest, nil, self.key) == 1 else { return false }
        if scheme == .pss {
            guard EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, 32) == 1
            else { return false }
        }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// Encrypts with the public key; with OAEP when a hash is given, by RSAES-PKCS1-v1_5 otherwise.
    func encrypt(_ message: [UInt8], oaep hash: OAEPHash?) -> [UInt8]? {
        guard let context = EVP_PKEY_CTX_new(self.key, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_encrypt_init(context) == 1 else { return nil }
        if let hash {
            guard EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1,
                EVP_PKEY_CTX_set_rsa_oaep_md(context, hash.digest) == 1,
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash.digest) == 1
            else { return nil }
        }
        var count = 0
        guard EVP_PKEY_encrypt(context, nil, &count, message, message.count) == 1 else { return nil }
        var ciphertext = [UInt8](repeating: 0, count: count)
        guard EVP_PKEY_encrypt(context, &ciphertext, &count, message, message.count) == 1 else { return nil }
        return Array(ciphertext.prefix(count))
    }

    private func number(_ name: String) -> [UInt8]? {
        var value: OpaquePointer?
        guard EVP_PKEY_get_bn_param(self.key, name, &value) == 1, let value else { return nil }
        defer { BN_free(value) }
        var bytes = [UInt8](repeating: 0, count: (Int(BN_num_bits(value)) + 7) / 8)
        BN_bn2bin(value, &bytes)
        return bytes
    }

    private static func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
        let count = encode(nil)
        guard count > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        let written = bytes.withUnsafeMutableBufferPointer { buffer -> Int32 in
            var position = buffer.baseAddress
            return encode(&position)
        }
        return written == count ? bytes : nil
    }
}

/// A hash for RSA-OAEP and its mask generation.
enum OAEPHash: String, CaseIterable, Sendable {
    case sha256 = "SHA256"
    case sha384 = "SHA384"
    case sha512 = "SHA512"
    case sha1 = "SHA_1"

    var digest: OpaquePointer? {
        switch self {
        case .sha1: EVP_sha1()
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        }
    }

    var mechanism: Mechanism {
        switch self {
        case .sha1: .rsaOAEP(.sha1)
        case .sha256: .rsaOAEP(.sha256)
        case .sha384: .rsaOAEP(.sha384)
        case .sha512: .rsaOAEP(.sha512)
        }
    }
}

/// Host cryptography without a key pair.
enum HostCrypto {
    static func sha256(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_Digest(message, message.count, &digest, nil, EVP_sha256(), nil)
        return digest
    }

    /// AES key wrap with padding (RFC 5649); `nil` when libcrypto refuses.
    static func keyWrapPadded(_ key: [UInt8], under wrappingKey: [UInt8]) -> [UInt8]? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        signet_EVP_CIPHER_CTX_allow_wrap(context)
        guard EVP_EncryptInit_ex(context, EVP_aes_256_wrap_pad(), nil, wrappingKey, nil) == 1 else { return nil }
        var wrapped = [UInt8](repeating: 0, count: key.count + 24)
        var count: Int32 = 0
        guard EVP_EncryptUpdate(context, &wrapped, &count, key, Int32(key.count)) == 1 else { return nil }
        var last: Int32 = 0
        let total = Int(count)
        let finished = wrapped.withUnsafeMutableBufferPointer { buffer in
            EVP_EncryptFinal_ex(context, buffer.baseAddress.map { $0 + total }, &last)
        }
        return finished == 1 ? Array(wrapped.prefix(total + Int(last))) : nil
    }

    /// Opens what AES-256-GCM with a tag of 16 bytes at the end made; `nil` when the tag is wrong.
    static func openGCM(_ sealed: [UInt8], key: [UInt8], initializationVector: [UInt8]) -> [UInt8]? {
        guard sealed.count >= 16, let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        var tag = Array(sealed.suffix(16))
        let ciphertext = Array(sealed.dropLast(16))
        var plaintext = [UInt8](repeating: 0, count: ciphertext.count + 16)
        var count: Int32 = 0
        var last: Int32 = 0
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, initializationVector) == 1,
            EVP_DecryptUpdate(context, &plaintext, &count, ciphertext, Int32(ciphertext.count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, &tag) == 1
        else { return nil }
        let total = Int(count)
        let finished = plaintext.withUnsafeMutableBufferPointer { buffer in
            EVP_DecryptFinal_ex(context, buffer.baseAddress.map { $0 + total }, &last)
        }
        return finished == 1 ? Array(plaintext.prefix(total)) : nil
    }
}
