import CertificateAuthority
import KeyProvider
import PKIMessages
import SecretMemory

/// Archival without plaintext: the token unwraps, proves and wraps the private key again.
struct OnTokenArchival: Sendable {
    private let sent: ReceivedKey
    private let token: any KeyToken
    private let agents: [CertificateFields]
    private let transport: TransportPadding

    init(_ sent: ReceivedKey, _ token: any KeyToken, _ agents: [CertificateFields], _ transport: TransportPadding) {
        self.sent = sent
        self.token = token
        self.agents = agents
        self.transport = transport
    }

    private struct Rewrapped: Sendable {
        let privateKey: [UInt8]
        let encryptedKeys: [[UInt8]]
        let mechanisms: [String]
        let attributes: KeyAttributes
    }

    func run(_ surroundings: Surroundings) async throws -> ArchivalResult {
        let challenge = try Challenge(
            to: self.sent.publicKey, oaepHashes: self.token.oaepHashes, random: surroundings.randomBytes)
        let rewrapped = try await self.token.withTransientKeys { try self.rewrap($0, challenge) }
        let recipients = try zip(self.agents, rewrapped.encryptedKeys).map { agent, encryptedKey in
            try KeyTransRecipientInfo(
                rid: .issuerAndSerialNumber(IssuerAndSerialNumber(agent)), keyEncryption: self.transport,
                encryptedKey: encryptedKey)
        }
        return ArchivalResult(
            format: .tokenWrapped,
            envelopedData: EnvelopedData(
                recipients: recipients, contentEncryptionAlgorithm: .aes256WrapPad,
                encryptedContent: rewrapped.privateKey),
            evidence: ArchivalEvidence(
                path: .onToken, token: self.token, sent: self.sent, mechanisms: rewrapped.mechanisms,
                privateKeyAttributes: rewrapped.attributes,
                at: surroundings.now()))
    }

    private func rewrap(_ operations: any TransientKeyOperations, _ challenge: Challenge) throws -> Rewrapped {
        let privateKey = try self.unwrap(operations)
        try challenge.prove(privateKey, operations)
        let contentEncryptionKey = try operations.generateSecretKey(.aes256)
        let wrapped = try operations.wrap(privateKey, under: contentEncryptionKey, algorithm: .aesKeyWrapPadded)
        let encryptedKeys = try self.agents.map { agent in
            try operations.wrap(
                contentEncryptionKey, to: agent.subjectPublicKeyInfo.derBytes,
                transport: KeyTransportAlgorithm(self.transport))
        }
        return Rewrapped(
            privateKey: wrapped, encryptedKeys: encryptedKeys, mechanisms: operations.mechanismsUsed,
            attributes: try operations.attributes(of: privateKey))
    }

    /// Whichever of the two unwrappings refuses, the error is the same: see ``ArchivalError/notDecrypted()``.
    private func unwrap(_ operations: any TransientKeyOperations) throws -> TransientKey {
        do {
            let received = try operations.unwrapSecretKey(
                self.sent.encryptedKey, with: self.sent.exchangeKey, transport: self.sent.transport, as: .aes256)
            return try operations.unwrapPrivateKey(
                self.sent.envelopedData.encryptedContent, with: received, algorithm: .aesKeyWrapPadded,
                of: self.sent.publicKey.derBytes)
        } catch let error as KeyProviderError {
            guard let refused = RefusedCiphertext(error) else { throw error }
            throw ArchivalError.notDecrypted(refused.tokenFailure)
        }
    }
}
