import CertificateAuthority
import Diagnostics
import KeyProvider
import PKIMessages
import SecretMemory

/// Archival where the token cannot take the private key: its plaintext is in locked memory from opening to encrypting,
/// and every symmetric key of the record is made and used on the token.
struct HostMemoryArchival: Sendable {
    private let sent: ReceivedKey
    private let token: any KeyToken
    private let agents: [CertificateFields]
    private let transport: TransportPadding
    private let format: ArchiveFormat

    init(
        _ sent: ReceivedKey, _ token: any KeyToken, _ agents: [CertificateFields], _ transport: TransportPadding,
        _ format: ArchiveFormat
    ) {
        self.sent = sent
        self.token = token
        self.agents = agents
        self.transport = transport
        self.format = format
    }

    private struct Encrypted: Sendable {
        let content: [UInt8]
        let encryptedKeys: [[UInt8]]
        let mechanisms: [String]
    }

    /// The requester's key, or a random one in its place.
    private struct OpenedKey: Sendable {
        let key: SecretBytes
        let tokenFailure: TokenFailure?
    }

    func run(_ surroundings: Surroundings) async throws -> ArchivalResult {
        let privateKey = try self.open(with: try await self.contentEncryptionKey(surroundings))
        guard try privateKey.matches(self.sent.publicKey) else {
            throw ArchivalError.keyMismatch(with: "the public key of the request")
        }
        let plaintext = try self.plaintext(of: privateKey)
        let cipher = ContentCipher(
            algorithm: self.secretKeyAlgorithm,
            initializationVector: try surroundings.randomBytes(self.secretKeyAlgorithm.blockBytes))
        let encrypted = try await self.token.withTransientKeys { try self.encrypt(plaintext, $0, cipher) }
        let recipients = try zip(self.agents, encrypted.encryptedKeys).map { agent, encryptedKey in
            try KeyTransRecipientInfo(
                rid: .issuerAndSerialNumber(IssuerAndSerialNumber(agent)), keyEncryption: self.transport,
                encryptedKey: encryptedKey)
        }
        return ArchivalResult(
            format: self.format,
            envelopedData: EnvelopedData(
                recipients: recipients, contentEncryptionAlgorithm: ContentEncryptionAlgorithm(cipher),
                encryptedContent: encrypted.content),
            evidence: ArchivalEvidence(
                path: .hostMemory, token: self.token, sent: self.sent,
                mechanisms: [self.sent.transport.mechanismName] + encrypted.mechanisms,
                memoryLocked: plaintext.isLocked, at: surroundings.now()))
    }

    /// The requester's content-encryption key.
    ///
    /// One that does not decrypt, or has the wrong length, is replaced by a random one, so that it fails where a wrong
    /// one fails and nobody learns about the padding (RFC 3218, section 2.3.2).
    private func contentEncryptionKey(_ surroundings: Surroundings) async throws -> OpenedKey {
        guard let keyBytes = self.sent.envelopedData.contentEncryptionAlgorithm.keyBytes else {
            throw ArchivalError.malformedKey("its content encryption algorithm is not supported")
        }
        var substitute = try surroundings.randomBytes(keyBytes)
        let other = try SecretBytes(moving: &substitute)
        do {
            let key = try await self.token.decrypt(
                self.sent.encryptedKey, with: self.sent.exchangeKey, transport: self.sent.transport)
            return OpenedKey(key: key.count == keyBytes ? key : other, tokenFailure: nil)
        } catch let error as KeyProviderError {
            guard let refused = RefusedCiphertext(error) else { throw error }
            return OpenedKey(key: other, tokenFailure: refused.tokenFailure)
        }
    }

    private func open(with opened: OpenedKey) throws -> PrivateKeyInfo {
        do {
            return try self.sent.envelopedData.openPrivateKey(contentEncryptionKey: opened.key)
        } catch let error as PKIMessageError {
            switch error.code {
            case .signatureOnlyKey: throw ArchivalError.signatureOnlyKey()
            case .decryptionFailed, .libcryptoFailed: throw ArchivalError.notDecrypted(opened.tokenFailure)
            default: throw ArchivalError.malformedKey(error.reason)
            }
        }
    }

    private func plaintext(of privateKey: PrivateKeyInfo) throws -> SecretBytes {
        switch self.format {
        case .tokenWrapped, .cmsAES: privateKey.derBytes
        case .microsoft2003: try PrivateKeyBlob(privateKeyInfo: privateKey.derBytes).bytes
        }
    }

    private var secretKeyAlgorithm: SecretKeyAlgorithm {
        switch self.format {
        case .tokenWrapped, .cmsAES: .aes256
        case .microsoft2003: .tripleDES
        }
    }

    private func encrypt(
        _ plaintext: SecretBytes, _ operations: any TransientKeyOperations, _ cipher: ContentCipher
    ) throws -> Encrypted {
        let contentEncryptionKey = try operations.generateSecretKey(cipher.algorithm)
        let content = try operations.encrypt(plaintext, with: contentEncryptionKey, cipher: cipher)
        let encryptedKeys = try self.agents.map { agent in
            try operations.wrap(
                contentEncryptionKey, to: agent.subjectPublicKeyInfo.derBytes,
                transport: KeyTransportAlgorithm(self.transport))
        }
        return Encrypted(content: content, encryptedKeys: encryptedKeys, mechanisms: operations.mechanismsUsed)
    }
}

extension SecretKeyAlgorithm {
    fileprivate var blockBytes: Int {
        switch self {
        case .aes256: 16
        case .tripleDES: 8
        }
    }
}

extension ContentEncryptionAlgorithm {
    fileprivate init(_ cipher: ContentCipher) {
        switch cipher.algorithm {
        case .aes256: self = .aes256CBC(cipher.initializationVector)
        case .tripleDES: self = .desEDE3CBC(cipher.initializationVector)
        }
    }
}
