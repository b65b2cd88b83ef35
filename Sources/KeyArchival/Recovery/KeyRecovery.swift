package import KeyProvider
package import PKIMessages
package import SecretMemory

/// A recovery blob in the hands of a key recovery agent. Needs no database and no CA.
///
/// A value exists only for a blob that a trusted CA has signed; what it says can be shown before a PIN is asked for.
package struct KeyRecovery: Sendable {
    /// An agent who can open the blob.
    package struct Recipient: Sendable, CustomStringConvertible {
        /// How the blob names the agent's certificate.
        package let identifier: SignerIdentifier
        /// The agent's certificate, when it is in the blob.
        package let certificate: CertificateFields?

        /// Subject and serial number.
        package var description: String {
            switch (self.certificate, self.identifier) {
            case (let certificate?, _):
                "\(certificate.subject), serial number \(certificate.serialHex)"
            case (nil, .issuerAndSerialNumber(let name)):
                "the holder of serial number \(SerialNumber.hex(name.serialNumber))"
            case (nil, .subjectKeyIdentifier(let identifier)):
                "the holder of key identifier \(Hexadecimal.lower(identifier))"
            }
        }
    }

    /// The certificate whose private key is archived.
    package let certificate: CertificateFields
    /// The certificates above it that are in the blob, nearest first.
    package var chain: [CertificateFields] { self.companions.chain }
    /// In the order of the blob. Where several must act together, those who hold a share.
    package internal(set) var recipients: [Recipient]
    /// How several agents open it together; `nil` where any one of them opens it alone.
    package internal(set) var threshold: ThresholdEnvelope?

    var envelopedData: EnvelopedData
    /// What the blob has beside ``certificate``.
    let companions: Companions

    /// Reads a blob and checks its signature.
    ///
    /// - Parameter trusted: certificates of certification authorities that the agent trusts; the signer must be one of
    ///   them or have been issued below one. Their validity periods are not looked at.
    /// - Parameter shared: kept by who opens several blobs, which have the same authorities' and agents' certificates.
    /// - Throws: ``PKIMessageError`` for a malformed blob, a wrong signature (`badSignature`), or a user certificate that
    ///   is not the signed one (`hashMismatch`); ``ArchivalError`` with `untrustedBlob` (0x800B0109).
    package init(
        blobDER: [UInt8], trusting trusted: [CertificateFields], shared: SharedCertificates = SharedCertificates()
    ) throws {
        let blob = try RecoveryBlob(derEncoded: blobDER)
        let certificate = try CertificateFields(derEncoded: blob.userCertificate())
        let companions = try blob.signedData.certificates.filter { $0 != certificate.derBytes }
            .map { try shared.read.value(of: $0) { $0 } }
        // Trusted ones first: of two certificates of one name and key, the trusted one is to end the path.
        let pool =
            trusted + companions.filter { new in !trusted.contains { $0.derBytes == new.derBytes } } + [certificate]
        let signer = try Self.signer(of: blob, among: pool)
        guard signer.isCertificationAuthority else {
            throw ArchivalError.untrustedBlob("its signer is no certification authority")
        }
        func isTrusted(_ authority: CertificateFields) -> Bool {
            trusted.contains { $0.derBytes == authority.derBytes }
        }
        guard
            isTrusted(signer)
                || CertificatePath.path(from: signer, through: pool, shared.signatures).contains(where: isTrusted)
        else { throw ArchivalError.untrustedBlob("none of the trusted certification authorities signed it") }
        let chain = Array(CertificatePath.path(from: certificate, through: pool, shared.signatures).dropFirst())
        try self.init(
            blob.envelopedData, of: certificate, beside: shared.companions(Companions(chain: chain, all: companions)))
    }

    /// What stays of a blob that was checked, so that the same bytes need no second check.
    package struct Checked: Sendable {
        let blobSHA256: [UInt8]
        let companions: Companions

        /// - Parameter recovery: what was read from these bytes.
        package init(_ recovery: KeyRecovery, blobDER: [UInt8]) {
            self.blobSHA256 = Digest.sha256.hash(blobDER)
            self.companions = recovery.companions
        }
    }

    /// Reads a blob again whose signature and chain were checked before.
    ///
    /// - Throws: ``ArchivalError`` with `untrustedBlob` when it is not the same blob; ``PKIMessageError``.
    package init(blobDER: [UInt8], checked: Checked) throws {
        guard Digest.sha256.hash(blobDER) == checked.blobSHA256 else {
            throw ArchivalError.untrustedBlob("it is not the blob any more that was checked")
        }
        let blob = try RecoveryBlob(derEncoded: blobDER)
        try self.init(
            blob.envelopedData, of: CertificateFields(derEncoded: blob.userCertificate()), beside: checked.companions)
    }

    private init(
        _ envelopedData: EnvelopedData, of certificate: CertificateFields, beside companions: Companions
    ) throws {
        self.envelopedData = envelopedData
        self.threshold = try ThresholdEnvelope(envelopedData)
        self.certificate = certificate
        self.companions = companions
        let transported = self.threshold?.shares.map(\.recipient) ?? envelopedData.recipients
        self.recipients = []
        self.recipients = transported.map(self.recipient)
    }

    /// An archive as it stands in the CA's own database, which needs no signature.
    ///
    /// - Parameter agentsDER: the certificates of the agents to whom it is encrypted.
    init(envelopedDataDER: [UInt8], certificateDER: [UInt8], agentsDER: [[UInt8]]) throws {
        try self.init(
            EnvelopedData(contentInfoDER: envelopedDataDER), of: CertificateFields(derEncoded: certificateDER),
            beside: Companions(chain: [], all: agentsDER.map { try CertificateFields(derEncoded: $0) }))
    }

    func recipient(_ info: KeyTransRecipientInfo) -> Recipient {
        let named = self.companions.all.first { info.rid.names($0) }
        return Recipient(
            identifier: info.rid, certificate: named ?? (info.rid.names(self.certificate) ? self.certificate : nil))
    }

    /// The certificate that the signer names and whose key made the signature: two CAs can have one name.
    private static func signer(of blob: RecoveryBlob, among pool: [CertificateFields]) throws -> CertificateFields {
        var failure: any Error = ArchivalError.untrustedBlob("the certificate of its signer is not in it")
        for candidate in pool where blob.signedData.signerInfos.contains(where: { $0.sid.names(candidate) }) {
            do {
                try blob.verifySignature(key: candidate.subjectPublicKeyInfo)
                return candidate
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Opens the key with whichever token has an agent's key.
    ///
    /// - Parameter tokens: logged in, or able to.
    /// - Throws: ``ArchivalError``: `noRecoveryKey` (0x8009000D), `sharesNeeded` where several agents have to act together
    ///   (see ``combining(_:)``), `keyMismatch` (0x80090003) when the archived key does not belong to the certificate;
    ///   ``KeyProviderError``; ``PKIMessageError`` when the content does not open.
    package func recover(with tokens: [any KeyFinding & KeyDecrypting]) async throws -> RecoveredKey {
        try self.mustBeOpenedByOne()
        for token in tokens {
            let card = try await RecoveryCard(token)
            if self.fittingKey(among: card.keys) != nil { return try await self.recover(with: card) }
        }
        throw self.noRecoveryKey
    }

    /// The same with one card whose keys are known.
    ///
    /// The archived key proved itself when it was archived; what is looked at now is whether it is still that one.
    package func recover(with card: RecoveryCard) async throws -> RecoveredKey {
        try self.mustBeOpenedByOne()
        guard let (locator, recipient) = self.fittingKey(among: card.keys) else { throw self.noRecoveryKey }
        let contentEncryptionKey = try await card.token.decrypt(
            recipient.encryptedKey, with: locator, transport: KeyTransportAlgorithm(try recipient.keyEncryption))
        let privateKey = try self.envelopedData.openPrivateKey(contentEncryptionKey: contentEncryptionKey)
        guard try privateKey.isStill(keyOf: self.certificate.subjectPublicKeyInfo) else {
            throw ArchivalError.keyMismatch("recover the private key", with: "the certificate")
        }
        return RecoveredKey(privateKey: privateKey, certificate: self.certificate, chain: self.chain)
    }

    /// A recipient's encrypted key, and the key on a card that opens it.
    struct Opening: Sendable {
        let key: KeyLocator
        let encryptedKey: [UInt8]
        let transport: KeyTransportAlgorithm
    }

    /// True when the content can be unwrapped by a token.
    var isWrapped: Bool { self.envelopedData.contentEncryptionAlgorithm == .aes256WrapPad }
    var encryptedContent: [UInt8] { self.envelopedData.encryptedContent }

    /// `nil` when the token has no key that opens the blob alone.
    func opening(on token: any KeyFinding) async throws -> Opening? {
        guard self.threshold == nil, let (locator, recipient) = try await self.fittingKey(on: token) else {
            return nil
        }
        return Opening(
            key: locator, encryptedKey: recipient.encryptedKey,
            transport: KeyTransportAlgorithm(try recipient.keyEncryption))
    }

    private func fittingKey(
        on token: any KeyFinding
    ) async throws -> (key: KeyLocator, recipient: KeyTransRecipientInfo)? {
        self.fittingKey(among: try await token.keyPairs())
    }

    private func fittingKey(among keys: [TokenKeyPair]) -> (key: KeyLocator, recipient: KeyTransRecipientInfo)? {
        for (recipient, info) in zip(self.recipients, self.envelopedData.recipients) {
            guard let wanted = recipient.certificate?.subjectPublicKeyInfo.sha256 else { continue }
            if let key = keys.first(where: { $0.locator.publicKeySHA256 == wanted }) { return (key.locator, info) }
        }
        return nil
    }
}

/// A token that may be an agent's card, with the keys on it, which are looked for once.
package struct RecoveryCard: Sendable {
    let token: any KeyFinding & KeyDecrypting
    let keys: [TokenKeyPair]

    /// - Throws: ``KeyProviderError``.
    package init(_ token: any KeyFinding & KeyDecrypting) async throws {
        self.token = token
        self.keys = try await token.keyPairs()
    }
}

/// A private key that was archived, with the certificate it belongs to.
package struct RecoveredKey: Sendable {
    package let privateKey: PrivateKeyInfo
    package let certificate: CertificateFields
    /// Nearest first.
    package let chain: [CertificateFields]

    /// Key, certificate and chain in one PKCS #12 file.
    ///
    /// - Throws: ``PKIMessageError``.
    package func pkcs12(friendlyName: String?, password: SecretBytes) throws -> SecretBytes {
        try PKCS12.make(
            privateKey: self.privateKey.derBytes, certificate: self.certificate.derBytes,
            chain: self.chain.map(\.derBytes), friendlyName: friendlyName, password: password)
    }
}
