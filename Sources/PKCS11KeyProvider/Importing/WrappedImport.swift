internal import CLibCrypto
internal import DeviceProfiles
internal import KeyProvider
internal import PKCS11
internal import SecretMemory

/// A private key on its way onto a token, encrypted to a key that the token has made for this and forgets: the interface
/// between host and token never carries it in the clear.
struct WrappedImport {
    /// AES key wrap with padding (RFC 5649).
    let mechanism: Mechanism
    let rules: DeviceProfile.TemplateRules
    let operation: String

    private static let transportBits = 2048

    /// - Parameter template: of the private key, as the device wants it.
    func unwrap(_ privateKeyInfo: SecretBytes, template: AttributeTemplate, in session: Session) throws {
        var transport: [ObjectHandle] = []
        // Session objects: what cannot be destroyed goes with the session.
        defer { for key in transport { try? session.destroyObject(key) } }
        let pair = try session.generateKeyPair(
            Mechanism(.rsaPKCSKeyPairGen),
            publicKey: self.transportPublicKey().inSession(of: .publicKey, self.rules, operation: self.operation),
            privateKey: self.transportPrivateKey().inSession(of: .privateKey, self.rules, operation: self.operation))
        transport += [pair.publicKey, pair.privateKey]
        let numbers = try session.attributes(of: pair.publicKey, .modulus, .publicExponent)
        guard let modulus = numbers[.modulus], let exponent = numbers[.publicExponent],
            let publicKey = PublicKey(
                subjectPublicKeyInfo: SubjectPublicKeyInfo.rsa(modulus: modulus, publicExponent: exponent))
        else { throw self.failed("the token does not tell its transport key") }

        let wrappingKey = try SecretBytes(capacity: 32) { buffer in
            guard RAND_priv_bytes(buffer.bindMemory(to: UInt8.self).baseAddress, 32) == 1 else {
                throw self.failed("libcrypto has no random bytes")
            }
            return 32
        }
        guard let wrapped = wrappingKey.withUnsafeBytes({ publicKey.encrypt($0) }),
            let wrappedKey = try WrappedImport.wrap(privateKeyInfo, under: wrappingKey)
        else { throw self.failed("libcrypto refuses to wrap the key") }
        let unwrapping = try session.unwrapKey(
            wrapped, with: pair.privateKey, Mechanism(.rsaPKCS),
            template: TransientTemplates.unwrappedSecretKey(.aes256)
                .inSession(of: .secretKey, self.rules, operation: self.operation))
        transport.append(unwrapping)
        _ = try session.unwrapKey(wrappedKey, with: unwrapping, self.mechanism, template: template)
    }

    private func failed(_ reason: String) -> KeyProviderError {
        .notProven(operation: self.operation, reason: reason)
    }

    private func transportPublicKey() -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.token] = false
        template[.modulusBits] = UInt(WrappedImport.transportBits)
        template[.publicExponent] = [0x01, 0x00, 0x01]
        template[.encrypt] = true
        template[.wrap] = true
        return template
    }

    private func transportPrivateKey() -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.token] = false
        template[.isPrivate] = true
        template[.sensitive] = true
        template[.extractable] = false
        template[.decrypt] = true
        template[.unwrap] = true
        return template
    }

    /// - Returns: `nil` when libcrypto refuses.
    private static func wrap(_ key: SecretBytes, under wrappingKey: SecretBytes) throws -> [UInt8]? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        // Wipes the key schedule.
        defer { EVP_CIPHER_CTX_free(context) }
        signet_EVP_CIPHER_CTX_allow_wrap(context)
        let isReady = wrappingKey.withUnsafeBytes {
            EVP_EncryptInit_ex(
                context, EVP_aes_256_wrap_pad(), nil, $0.bindMemory(to: UInt8.self).baseAddress, nil)
        }
        guard isReady == 1 else { return nil }
        var wrapped = [UInt8](repeating: 0, count: key.count + 24)
        var count: Int32 = 0
        let result = key.withUnsafeBytes {
            EVP_EncryptUpdate(
                context, &wrapped, &count, $0.bindMemory(to: UInt8.self).baseAddress, Int32($0.count))
        }
        // RFC 5649 has one block: there is nothing left for EncryptFinal.
        return result == 1 ? Array(wrapped.prefix(Int(count))) : nil
    }
}
