import KeyArchival
package import KeyProvider
package import MessageDescription
package import PKIMessages
package import SecretMemory

/// A file with certificates, requests or other messages, to be told in words.
package struct MessageFile: Sendable {
    /// The largest file: a certificate revocation list as PEM.
    private static let maximumBytes = DERLimits.maximumCertificateListBytes / 3 * 4 + (1 << 20)

    private enum Content: Sendable {
        /// DER, in the order of the file.
        case messages([[UInt8]])
        case pkcs12(SecretBytes)
    }

    package let path: String
    private let content: Content

    /// - Throws: ``ServiceError`` when the file cannot be read, `PKIMessageError` when it is neither DER nor PEM.
    package init(path: String) throws {
        self.path = path
        var bytes = try FilePaths.read(path, limit: MessageFile.maximumBytes)
        if MessageDescription.isPKCS12(bytes) {
            self.content = .pkcs12(try SecretBytes(moving: &bytes))
        } else {
            self.content = .messages(
                try TextEncoding.decodeAll(bytes, what: path, maximumBytes: MessageFile.maximumBytes))
        }
    }

    /// True when ``lines(style:password:)`` asks for a password.
    package var needsPassword: Bool {
        if case .pkcs12 = self.content { true } else { false }
    }

    /// - Parameter password: of a PKCS #12; asked for only then.
    package func lines(style: DescriptionStyle, password: () throws -> SecretBytes) throws -> [String] {
        switch self.content {
        case .pkcs12(let file):
            return try MessageDescription.lines(ofPKCS12: file, password: password(), style: style)
        case .messages(let messages):
            let parts = try messages.map { try MessageDescription.lines(of: $0, style: style) }
            guard parts.count > 1 else { return parts.first ?? [] }
            return parts.enumerated().flatMap { ["===== Element \($0.offset) ====="] + $0.element + [""] }
        }
    }

    /// Opens with keys on tokens what in the file is encrypted to them, and tells what is there.
    ///
    /// Of a private key it is told which one it is, and whether it belongs to the key in the message; its bytes are in
    /// locked memory for that long.
    ///
    /// - Parameters:
    ///   - tokens: logged in, or able to.
    ///   - certificates: of recipients, beside those on the tokens and in the message.
    /// - Returns: for ``DescriptionStyle/findings``.
    package func findings(
        on tokens: [any KeyFinding & KeyDecrypting], certificates: [CertificateFields]
    ) async throws -> [[UInt8]: [String]] {
        guard case .messages(let messages) = self.content else { return [:] }
        var found: [[UInt8]: [String]] = [:]
        for message in messages {
            for envelope in try MessageDescription.envelopes(in: message) {
                let opening = EnvelopeOpening(
                    envelope: try EnvelopedData(contentInfoDER: envelope),
                    publicKey: EnvelopeOpening.publicKey(of: message), tokens: tokens,
                    certificates: certificates + EnvelopeOpening.certificates(in: message))
                found[envelope] = try await opening.lines()
            }
        }
        return found
    }
}

/// Looks into one EnvelopedData with the keys on tokens.
private struct EnvelopeOpening {
    let envelope: EnvelopedData
    /// That the private key inside should belong to.
    let publicKey: SubjectPublicKeyInfo?
    let tokens: [any KeyFinding & KeyDecrypting]
    let certificates: [CertificateFields]

    func lines() async throws -> [String] {
        for token in self.tokens {
            for pair in try await token.keyPairs() {
                guard let recipient = try await self.recipient(for: pair, on: token) else { continue }
                return try await self.open(recipient, with: pair.locator, on: token)
            }
        }
        return ["Not decrypted: no token that is here has a recipient's key"]
    }

    private func recipient(
        for pair: TokenKeyPair, on token: any KeyFinding
    ) async throws -> KeyTransRecipientInfo? {
        let beside = try await token.certificates(for: pair.locator).map { try CertificateFields(derEncoded: $0) }
        let own = (beside + self.certificates).filter {
            $0.subjectPublicKeyInfo.sha256 == pair.locator.publicKeySHA256
        }
        return self.envelope.recipients.first { recipient in own.contains { recipient.rid.names($0) } }
    }

    private func open(
        _ recipient: KeyTransRecipientInfo, with key: KeyLocator, on token: any KeyDecrypting
    ) async throws -> [String] {
        let contentEncryptionKey = try await token.decrypt(
            recipient.encryptedKey, with: key, transport: KeyTransportAlgorithm(try recipient.keyEncryption))
        do {
            let privateKey = try self.envelope.openPrivateKey(contentEncryptionKey: contentEncryptionKey)
            return ["Decrypted with the recipient's key on its token"]
                + (try MessageDescription.lines(of: privateKey, for: self.publicKey))
        } catch let error as PKIMessageError {
            return ["Not decrypted, or no private key: \(error.reason)"]
        }
    }

    /// The key of the certificate that a recovery blob is about, or of the request that a key comes with.
    static func publicKey(of message: [UInt8]) -> SubjectPublicKeyInfo? {
        // `try?`: a message of another kind names no such key.
        if let blob = try? RecoveryBlob(derEncoded: message), let user = try? blob.userCertificate() {
            return (try? CertificateFields(derEncoded: user))?.subjectPublicKeyInfo
        }
        return (try? RequestMessage(derEncoded: message))?.certificationRequest.subjectPublicKeyInfo
    }

    static func certificates(in message: [UInt8]) -> [CertificateFields] {
        // `try?`: a message of another kind has no certificates; the description says what cannot be read.
        let signed = try? SignedData(contentInfoDER: message)
        return (signed?.certificates ?? []).compactMap { try? CertificateFields(derEncoded: $0) }
    }
}
