package import PKIMessages
package import SecretMemory
import X509

/// To whom a backup is encrypted: to certificates, to a password, or to both.
package struct BackupRecipients: Sendable {
    private let certificates: [CertificateFields]
    private let password: SecretBytes?
    private let scryptCost: Int

    /// - Parameters:
    ///   - certificates: with RSA keys; a key usage must allow key encipherment.
    ///   - scryptCost: N of RFC 7914, 2^17 by default.
    /// - Throws: ``BackupError`` with code `noRecipient`.
    package init(certificates: [CertificateFields], password: SecretBytes?, scryptCost: Int = 1 << 17) throws {
        guard !certificates.isEmpty || password != nil else {
            throw BackupError.noRecipient("neither a certificate nor a password is given")
        }
        for certificate in certificates {
            guard certificate.subjectPublicKeyInfo.isRSA else {
                throw BackupError.noRecipient("the key of \(certificate.subject) is not an RSA key")
            }
            if let usage = certificate.keyUsage, !usage.keyEncipherment {
                throw BackupError.noRecipient("\(certificate.subject) is not for key encipherment")
            }
        }
        self.certificates = certificates
        self.password = password
        self.scryptCost = scryptCost
    }

    /// A header with a fresh part key in it, and the key.
    ///
    /// - Parameter backupID: 16 random bytes.
    package func makeHeader(
        backupID: [UInt8], randomBytes: (Int) throws -> [UInt8]
    ) throws -> (header: PartHeader, partKey: SecretBytes) {
        func secret() throws -> SecretBytes {
            var bytes = try randomBytes(PartHeader.keyBytes)
            return try SecretBytes(moving: &bytes)
        }
        let (partKey, contentKey) = (try secret(), try secret())
        let vector = try randomBytes(16)
        // Nobody knows which device will open it in years, and every one has OAEP with SHA-1, of which OAEP needs nothing that
        // SHA-1 has lost (RFC 8017, appendix B.1).
        let envelope = try EnvelopedData(
            recipients: self.certificates.map { certificate in
                try KeyTransRecipientInfo(
                    rid: .issuerAndSerialNumber(IssuerAndSerialNumber(certificate)), keyEncryption: .oaep(.sha1),
                    encryptedKey: KeyTransport.encrypt(
                        contentKey, to: certificate.subjectPublicKeyInfo, transport: .oaep(.sha1)))
            },
            passwordRecipients: self.password.map { password in
                [
                    try PasswordRecipientInfo(
                        wrapping: contentKey, password: password,
                        derivation: ScryptParameters(salt: randomBytes(32), cost: self.scryptCost))
                ]
            } ?? [],
            contentEncryptionAlgorithm: .aes256CBC(vector),
            encryptedContent: SymmetricCipher.aes256CBC.encrypt(partKey, key: contentKey, iv: vector))
        return (try PartHeader(backupID: backupID, envelope: envelope), partKey)
    }
}

extension PartHeader {
    /// The part key, for somebody who knows the password.
    ///
    /// - Throws: ``BackupError`` with code `notOpened` (0x80070056).
    package func partKey(password: SecretBytes, part: String) throws -> SecretBytes {
        let recipients: [PasswordRecipientInfo]
        do { recipients = try self.envelope.passwordRecipients() } catch {
            throw BackupError.changed(part, "its header cannot be read")
        }
        guard let recipient = recipients.first, recipients.count == 1 else {
            throw BackupError.notOpened(part, "it is not encrypted to a password")
        }
        let contentKey: SecretBytes
        do { contentKey = try recipient.key(password: password) } catch let error as PKIMessageError
            where error.code == .wrongPassword
        { throw BackupError.notOpened(part, "the password is not the one that it was made with") }
        return try self.partKey(contentKey: contentKey, part: part)
    }

    /// The part key, for somebody who has decrypted the content-encryption key of one of the envelope's recipients.
    ///
    /// - Throws: ``BackupError`` with code `changed`.
    package func partKey(contentKey: SecretBytes, part: String) throws -> SecretBytes {
        guard case .aes256CBC(let vector) = self.envelope.contentEncryptionAlgorithm else {
            throw BackupError.changed(part, "its header names another cipher")
        }
        // Whatever is wrong with it, the words are the same.
        guard contentKey.count == SymmetricCipher.aes256CBC.keyBytes,
            let key = try? SymmetricCipher.aes256CBC.decrypt(
                self.envelope.encryptedContent, key: contentKey, iv: vector), key.count == PartHeader.keyBytes
        else { throw BackupError.changed(part, "the key in its header does not decrypt") }
        return key
    }
}
