internal import CLibCrypto
internal import KeyProvider
internal import SecretMemory

/// A public key in libcrypto.
final class PublicKey {
    private let key: OpaquePointer

    init?(subjectPublicKeyInfo: [UInt8]) {
        let key = subjectPublicKeyInfo.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var position = buffer.baseAddress
            return d2i_PUBKEY(nil, &position, buffer.count)
        }
        guard let key else { return nil }
        self.key = key
    }

    deinit { EVP_PKEY_free(self.key) }

    func verifies(_ signature: [UInt8], of message: [UInt8], hash: HashAlgorithm?) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, hash.flatMap(Digest.method), nil, self.key) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// RSAES-PKCS1-v1_5, the padding of libcrypto's default and of every device.
    func encrypt(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
        let input = message.bindMemory(to: UInt8.self).baseAddress
        guard let context = EVP_PKEY_CTX_new(self.key, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var count = 0
        guard EVP_PKEY_encrypt_init(context) == 1,
            EVP_PKEY_encrypt(context, nil, &count, input, message.count) == 1
        else { return nil }
        var ciphertext = [UInt8](repeating: 0, count: count)
        guard EVP_PKEY_encrypt(context, &ciphertext, &count, input, message.count) == 1 else { return nil }
        return Array(ciphertext.prefix(count))
    }

    /// Encrypts to a key on a curve, by AES-256-CBC under the last 32 bytes of the X coordinate that a key pair made for
    /// it agrees on with this key (NIST SP 800-56A, section 6.2.2).
    ///
    /// - Returns: the point of that key pair, uncompressed, and the ciphertext; `nil` when libcrypto refuses.
    /// - Throws: `SecretMemoryError`.
    func seal(
        _ message: [UInt8], initializationVector: [UInt8]
    ) throws -> (point: [UInt8], ciphertext: [UInt8])? {
        guard let own = self.keyOnTheSameCurve() else { return nil }
        defer { EVP_PKEY_free(own) }
        guard let point = PublicKey.point(of: own), let secret = try self.agreement(with: own), secret.count >= 32,
            let context = EVP_CIPHER_CTX_new()
        else { return nil }
        // Wipes the key schedule.
        defer { EVP_CIPHER_CTX_free(context) }
        let isReady = secret.withUnsafeBytes {
            let key = $0.bindMemory(to: UInt8.self).suffix(32)
            return EVP_EncryptInit_ex(
                context, EVP_aes_256_cbc(), nil, UnsafeBufferPointer(rebasing: key).baseAddress, initializationVector)
        }
        var ciphertext = [UInt8](repeating: 0, count: message.count + 16)
        var count: Int32 = 0
        guard isReady == 1, EVP_EncryptUpdate(context, &ciphertext, &count, message, Int32(message.count)) == 1
        else { return nil }
        var last: Int32 = 0
        let isDone = ciphertext.withUnsafeMutableBufferPointer {
            EVP_EncryptFinal_ex(context, $0.baseAddress.map { $0 + Int(count) }, &last)
        }
        return isDone == 1 ? (point, Array(ciphertext.prefix(Int(count + last)))) : nil
    }

    private func keyOnTheSameCurve() -> OpaquePointer? {
        guard let context = EVP_PKEY_CTX_new(self.key, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var own: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_keygen(context, &own) == 1 else { return nil }
        return own
    }

    private static func point(of key: OpaquePointer) -> [UInt8]? {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = EVP_PKEY_get1_encoded_public_key(key, &bytes)
        defer { signet_OPENSSL_free(bytes) }
        guard count > 0 else { return nil }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    private func agreement(with own: OpaquePointer) throws -> SecretBytes? {
        guard let context = EVP_PKEY_CTX_new(own, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var count = 0
        guard EVP_PKEY_derive_init(context) == 1, EVP_PKEY_derive_set_peer(context, self.key) == 1,
            EVP_PKEY_derive(context, nil, &count) == 1
        else { return nil }
        let secret = try SecretBytes(capacity: count) { buffer in
            EVP_PKEY_derive(context, buffer.bindMemory(to: UInt8.self).baseAddress, &count) == 1 ? count : 0
        }
        return secret.count > 0 ? secret : nil
    }
}
