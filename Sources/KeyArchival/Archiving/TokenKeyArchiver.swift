package import CertificateAuthority
import Diagnostics
package import KeyProvider
package import PKIMessages

/// Archives private keys with the exchange key on its token.
///
/// The key stays on the token when the requester wrapped it so that the token can unwrap it, and the token can; else
/// its plaintext is in locked memory of the host for one step. In both cases the content-encryption key of the record
/// is made on the token and leaves it only wrapped to the key recovery agents.
package struct TokenKeyArchiver: KeyArchiver {
    private let token: @Sendable (KeyLocator) async throws -> any KeyToken
    private let storage: any CAStorage
    private let agents: KRASelection
    private let settings: ArchivalSettings
    private let surroundings: Surroundings
    private let exchangeCertificates: ReadCertificates<CertificateFields>

    /// - Parameters:
    ///   - exchangeToken: the token that has the private key of an exchange certificate in `storage`. A former one may be on
    ///     another token than the present one.
    ///   - agents: kept by the caller for as long as the service runs, so that agents take turns.
    ///   - exchangeCertificates: kept by the caller as well, so that each is read once.
    package init(
        exchangeToken: @escaping @Sendable (KeyLocator) async throws -> any KeyToken, storage: any CAStorage,
        agents: KRASelection, settings: ArchivalSettings, surroundings: Surroundings,
        exchangeCertificates: ReadCertificates<CertificateFields> = ReadCertificates()
    ) {
        self.exchangeCertificates = exchangeCertificates
        self.token = exchangeToken
        self.storage = storage
        self.agents = agents
        self.settings = settings
        self.surroundings = surroundings
    }

    package func checkReadiness() async throws {
        _ = try await self.agents.ready()
    }

    /// - Throws: ``ArchivalError``; ``KeyProviderError`` when the token fails; ``StorageError``; ``PKIMessageError`` for
    ///   a message that cannot be read.
    package func archive(_ request: KeyArchivalRequest) async throws -> ArchivedKeyDraft {
        let (agents, sent) = try await self.storage.read {
            try (self.agents.next(in: $0), self.received(request, in: $0))
        }
        let token = try await self.token(sent.exchangeKey)
        let transport = self.keyTransport(of: token)
        let result =
            switch try self.path(for: sent, on: token) {
            case .onToken: try await OnTokenArchival(sent, token, agents, transport).run(self.surroundings)
            case .hostMemory(let format):
                try await HostMemoryArchival(sent, token, agents, transport, format).run(self.surroundings)
            }
        return try self.draft(result, agents, transport)
    }

    private func draft(
        _ result: ArchivalResult, _ agents: [CertificateFields], _ transport: TransportPadding
    ) throws -> ArchivedKeyDraft {
        var (envelopedData, evidence) = (result.envelopedData, result.evidence)
        if let threshold = self.settings.threshold {
            envelopedData = try ThresholdEnvelope.sealing(
                envelopedData, to: agents, threshold: threshold, transport: transport,
                random: self.surroundings.randomBytes)
            evidence.threshold = .init(required: threshold, agents: agents.count)
        }
        let envelopedDataDER = try envelopedData.contentInfoDER()
        evidence.envelopedDataSHA256 = Hexadecimal.lower(Digest.sha256.hash(envelopedDataDER))
        return ArchivedKeyDraft(
            format: result.format, envelopedDataDER: envelopedDataDER,
            kraHashes: agents.map { Hexadecimal.lower($0.sha1Thumbprint).spaced }, evidenceJSON: try evidence.json())
    }

    private enum Path {
        case onToken
        case hostMemory(ArchiveFormat)
    }

    /// Finds the exchange certificate among all that this CA ever had: a request may be older than the current one. One
    /// that was revoked is taken by nobody: others may have what was encrypted to it.
    private func received(_ request: KeyArchivalRequest, in reader: any StorageReading) throws -> ReceivedKey {
        let publicKey = try SubjectPublicKeyInfo(derEncoded: request.subjectPublicKeyInfo)
        try self.mustBeArchivable(publicKey)
        let envelopedData = try EnvelopedData(contentInfoDER: request.encryptedKeyDER)
        for record in try reader.exchangeCertificates() {
            let certificate = try self.exchangeCertificates.value(of: record.certificateDER) { $0 }
            if let recipient = envelopedData.recipients.first(where: { $0.rid.names(certificate) }) {
                let serialNumber = certificate.serialHex
                guard record.retiredWhen == nil else { throw ArchivalError.exchangeKeyRetired(serialNumber) }
                guard try reader.certificate(serialNumber: serialNumber)?.revocation == nil else {
                    throw ArchivalError.exchangeCertificateRevoked(serialNumber)
                }
                return ReceivedKey(
                    envelopedData: envelopedData, encryptedKey: recipient.encryptedKey,
                    transport: KeyTransportAlgorithm(try recipient.keyEncryption), exchangeKey: record.locator,
                    exchangeCertificate: certificate, publicKey: publicKey)
            }
        }
        throw ArchivalError.recipientNotFound(recipients: envelopedData.recipientInfos.count)
    }

    /// RSA keys, as Windows archives them. Keys on NIST curves, which can agree on keys (RFC 5753), as well, unless the
    /// format is that of Windows, which has no place for them. A key that can only sign is nobody's to archive.
    private func mustBeArchivable(_ publicKey: SubjectPublicKeyInfo) throws {
        if publicKey.isRSA { return }
        guard publicKey.algorithm == OID.ecPublicKey, self.settings.format != .microsoft2003 else {
            throw ArchivalError.unsupportedKey()
        }
    }

    private func path(for sent: ReceivedKey, on token: any KeyToken) throws -> Path {
        let isWrapped = sent.envelopedData.contentEncryptionAlgorithm == .aes256WrapPad
        let canStayOnToken = isWrapped && token.canRewrapPrivateKey(of: sent.publicKey.derBytes)
        switch self.settings.format {
        case nil where canStayOnToken, .tokenWrapped where canStayOnToken: return .onToken
        case .tokenWrapped:
            throw ArchivalError.pathNotAvailable(
                isWrapped
                    ? "the exchange token cannot unwrap, prove and wrap private keys of this kind"
                    : "the requester did not encrypt the key with AES key wrap with padding",
                advice: "Set archival.format to automatic, or use a requester and a token that wrap by RFC 5649.")
        case let format:
            guard self.settings.isHostPlaintextAllowed else {
                throw ArchivalError.pathNotAvailable(
                    "its plaintext would be in the host's memory, which is not allowed",
                    advice: "Request with a key wrapped by RFC 5649, or set archival.host-plaintext-allowed.")
            }
            return .hostMemory(format ?? .cmsAES)
        }
    }

    private func keyTransport(of token: any KeyToken) -> TransportPadding {
        self.settings.keyTransport ?? TransportPadding(token.oaepHashes.first.map { .rsaOAEP($0) } ?? .rsaPKCS1v15)
    }
}

/// A private key as it came, and the exchange key that opens it.
struct ReceivedKey: Sendable {
    let envelopedData: EnvelopedData
    let encryptedKey: [UInt8]
    let transport: KeyTransportAlgorithm
    let exchangeKey: KeyLocator
    let exchangeCertificate: CertificateFields
    /// The public key of the request.
    let publicKey: SubjectPublicKeyInfo
}

/// What either path makes.
struct ArchivalResult: Sendable {
    let format: ArchiveFormat
    let envelopedData: EnvelopedData
    let evidence: ArchivalEvidence
}

extension String {
    /// Hexadecimal digits in pairs with blanks between, as Windows stores thumbprints.
    fileprivate var spaced: String {
        stride(from: 0, to: self.utf8.count, by: 2)
            .map { String(self.dropFirst($0).prefix(2)) }
            .joined(separator: " ")
    }
}
