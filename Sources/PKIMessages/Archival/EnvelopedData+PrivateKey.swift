package import SecretMemory

/// In which form a private key stands in an EnvelopedData.
package enum PrivateKeyEncryption: Hashable, Sendable {
    /// PrivateKeyInfo under AES-256 key wrap with padding (RFC 5649): a token can unwrap it.
    case aesKeyWrapPadded
    /// PrivateKeyInfo under AES-256-CBC: any CMS program can open it.
    case aes256CBC
    /// RSA PRIVATEKEYBLOB under DES-EDE3-CBC, as Windows Server 2003 has it.
    case microsoft2003
}

extension EnvelopedData {
    private static let what = "encrypted private key"

    /// Encrypts a private key to recipients, under a fresh content-encryption key.
    ///
    /// - Parameters:
    ///   - privateKey: DER PrivateKeyInfo.
    ///   - recipients: each named by issuer and serial number, as every reader understands.
    ///   - random: gives as many random bytes as it is asked for.
    /// - Throws: ``PKIMessageError``: `signatureOnlyKey` when a recipient's key is not RSA, or for `microsoft2003` the
    ///   private key; `invalidValue` when the key has no PRIVATEKEYBLOB; whatever `random` throws.
    package static func sealing(
        privateKey: SecretBytes, to recipients: [CertificateFields], encryption: PrivateKeyEncryption,
        transport: TransportPadding, random: @Sendable (Int) throws -> [UInt8]
    ) throws -> EnvelopedData {
        let contentEncryptionKey = try self.contentEncryptionKey(for: encryption, random: random)
        let algorithm: ContentEncryptionAlgorithm
        let content: [UInt8]
        switch encryption {
        case .aesKeyWrapPadded:
            algorithm = .aes256WrapPad
            content = try SymmetricCipher.aesKeyWrapPadded(privateKey, under: contentEncryptionKey)
        case .aes256CBC:
            let vector = try random(16)
            algorithm = .aes256CBC(vector)
            content = try SymmetricCipher.aes256CBC.encrypt(privateKey, key: contentEncryptionKey, iv: vector)
        case .microsoft2003:
            let vector = try random(8)
            algorithm = .desEDE3CBC(vector)
            content = try SymmetricCipher.desEDE3CBC.encrypt(
                PrivateKeyBlob(privateKeyInfo: privateKey).bytes, key: contentEncryptionKey, iv: vector)
        }
        let recipientInfos = try recipients.map { certificate in
            try KeyTransRecipientInfo(
                rid: .issuerAndSerialNumber(IssuerAndSerialNumber(certificate)), keyEncryption: transport,
                encryptedKey: KeyTransport.encrypt(
                    contentEncryptionKey, to: certificate.subjectPublicKeyInfo, transport: transport))
        }
        return EnvelopedData(
            recipients: recipientInfos, contentEncryptionAlgorithm: algorithm, encryptedContent: content)
    }

    /// 32 random bytes for AES; 24 with odd parity for triple DES, because some devices refuse others.
    private static func contentEncryptionKey(
        for encryption: PrivateKeyEncryption, random: @Sendable (Int) throws -> [UInt8]
    ) throws -> SecretBytes {
        switch encryption {
        case .aesKeyWrapPadded, .aes256CBC:
            var key = try random(32)
            return try SecretBytes(moving: &key)
        case .microsoft2003:
            var key = try random(24)
            for index in key.indices {
                let high = key[index] & 0xFE
                key[index] = high | (high.nonzeroBitCount % 2 == 0 ? 1 : 0)
            }
            return try SecretBytes(moving: &key)
        }
    }

    /// Opens the private key with the content-encryption key that a recipient has decrypted.
    ///
    /// All forms that were ever written are read: PrivateKeyInfo under AES key wrap (with up to 7 zero bytes behind it,
    /// which SoftHSM adds before it wraps), PrivateKeyInfo or PRIVATEKEYBLOB under AES-CBC or DES-EDE3-CBC.
    ///
    /// - Throws: ``PKIMessageError``: `decryptionFailed` when the key does not open it, `unsupportedAlgorithm`,
    ///   `signatureOnlyKey`, `malformed` when the plaintext is no private key.
    package func openPrivateKey(contentEncryptionKey key: SecretBytes) throws -> PrivateKeyInfo {
        if let expected = self.contentEncryptionAlgorithm.keyBytes, key.count != expected {
            throw PKIMessageError.decryptionFailed(Self.what)
        }
        switch self.contentEncryptionAlgorithm {
        case .aes256WrapPad:
            let plaintext = try SymmetricCipher.aesKeyUnwrapPadded(self.encryptedContent, under: key)
            return try PrivateKeyInfo(derEncoded: plaintext, allowingZeroPadding: true)
        case .aes256CBC(let vector):
            return try Self.privateKey(SymmetricCipher.aes256CBC.decrypt(self.encryptedContent, key: key, iv: vector))
        case .aes192CBC(let vector):
            return try Self.privateKey(SymmetricCipher.aes192CBC.decrypt(self.encryptedContent, key: key, iv: vector))
        case .aes128CBC(let vector):
            return try Self.privateKey(SymmetricCipher.aes128CBC.decrypt(self.encryptedContent, key: key, iv: vector))
        case .desEDE3CBC(let vector):
            return try Self.privateKey(SymmetricCipher.desEDE3CBC.decrypt(self.encryptedContent, key: key, iv: vector))
        case .other(let identifier):
            throw PKIMessageError.unsupportedAlgorithm(Self.what, "\(identifier.algorithm)")
        }
    }

    /// A PrivateKeyInfo begins with a SEQUENCE, 0x30; a PRIVATEKEYBLOB with its type, 0x07.
    private static func privateKey(_ plaintext: SecretBytes) throws -> PrivateKeyInfo {
        switch plaintext.withUnsafeBytes({ $0.first }) {
        case 0x07: try PrivateKeyBlob(plaintext).privateKeyInfo()
        default: try PrivateKeyInfo(derEncoded: plaintext, allowingZeroPadding: false)
        }
    }
}
