import Diagnostics
package import KeyProvider
package import PKIMessages

/// Moves an archived key to another token. Where both tokens can, it is plaintext nowhere.
extension KeyRecovery {
    /// What was put on a token, and how.
    package struct Transferred: Sendable {
        package let pair: TokenKeyPair
        /// True when the private key went from token to token wrapped; false when it was in locked memory of this host.
        package let wasWrapped: Bool
    }

    /// True when a token with this public key (SHA-256 of the DER SubjectPublicKeyInfo) can open the blob.
    package func canBeOpened(byOneOf publicKeySHA256: Set<[UInt8]>) -> Bool {
        self.recipients.contains { recipient in
            recipient.certificate.map { publicKeySHA256.contains($0.subjectPublicKeyInfo.sha256) } ?? false
        }
    }

    /// SHA-256 of the public keys of those who can open the blob, or have a share of it; empty where the blob has no
    /// certificate of an agent.
    package var agentKeys: [[UInt8]] {
        self.recipients.map { $0.certificate?.subjectPublicKeyInfo.sha256 ?? [] }
    }

    /// That no token has the key of a recipient.
    package var noRecoveryKey: ArchivalError { .noRecoveryKey(self.recipients) }

    /// Puts the key and its certificate on a token of the user.
    ///
    /// - Parameters:
    ///   - cards: tokens of key recovery agents.
    ///   - target: the user's.
    ///   - label: of key and certificate.
    /// - Throws: ``ArchivalError`` as ``recover(with:)``; ``KeyProviderError``, with `0x80100028` when it does not fit;
    ///   nothing is left on the target then.
    package func transfer(
        with cards: [any KeyToken], to target: any KeyToken, label: String
    ) async throws -> Transferred {
        let publicKey = self.certificate.subjectPublicKeyInfo
        let pair = try UserKeyPair(self.certificate, label: label)
        for card in cards where self.isOpenedOnToken(card) && target.canRewrapPrivateKey(of: publicKey.derBytes) {
            guard let opening = try await self.opening(on: card) else { continue }
            let imported = try await target.storeWrappedUserKey(pair) { receiver in
                try await self.wrapped(opening, on: card, to: receiver, oaepHashes: target.oaepHashes)
            }
            return Transferred(pair: imported, wasWrapped: true)
        }
        let recovered = try await self.recover(with: cards)
        let stored = try await target.storeUserKey(pair, privateKey: recovered.privateKey.derBytes)
        return Transferred(pair: stored, wasWrapped: false)
    }

    /// Encrypts the private key to somebody's RSA key on the agent's card, which proves the key before: nothing leaves
    /// the card but ciphertext.
    ///
    /// - Parameter receiver: DER SubjectPublicKeyInfo.
    private func wrapped(
        _ opening: Opening, on card: any KeyToken, to receiver: [UInt8], oaepHashes: [HashAlgorithm]
    ) async throws -> WrappedKeyPair {
        let common = card.oaepHashes.first { oaepHashes.contains($0) }
        let transport = common.map { KeyTransportAlgorithm.rsaOAEP($0) } ?? .rsaPKCS1v15
        return try await self.withProvenKey(opening, on: card) { privateKey, operations in
            let fresh = try operations.generateSecretKey(.aes256)
            return WrappedKeyPair(
                encryptedKey: try operations.wrap(fresh, to: receiver, transport: transport), transport: transport,
                wrappedPrivateKey: try operations.wrap(privateKey, under: fresh, algorithm: .aesKeyWrapPadded))
        }
    }

    /// Unwraps the private key on the agent's card, and proves there that it is the certificate's.
    private func withProvenKey<R: Sendable>(
        _ opening: Opening, on card: any KeyToken,
        _ body: @escaping @Sendable (TransientKey, any TransientKeyOperations) throws -> R
    ) async throws -> R {
        let publicKey = self.certificate.subjectPublicKeyInfo
        let challenge = try Challenge(
            to: publicKey, oaepHashes: card.oaepHashes, random: LibCrypto.randomBytes)
        let content = self.encryptedContent
        return try await card.withTransientKeys { operations in
            let contentEncryptionKey = try operations.unwrapSecretKey(
                opening.encryptedKey, with: opening.key, transport: opening.transport, as: .aes256)
            let privateKey = try operations.unwrapPrivateKey(
                content, with: contentEncryptionKey, algorithm: .aesKeyWrapPadded,
                of: publicKey.derBytes)
            try challenge.prove(privateKey, operations)
            return try body(privateKey, operations)
        }
    }

    /// Where an archived key is while it is opened.
    private func isOpenedOnToken(_ card: any KeyToken) -> Bool {
        self.isWrapped && card.canRewrapPrivateKey(of: self.certificate.subjectPublicKeyInfo.derBytes)
    }

    /// - Throws: ``ArchivalError`` with code `pathNotAvailable` (0x80070032).
    private func mustBeAllowedInHostMemory(_ isAllowed: Bool) throws {
        guard isAllowed else {
            throw ArchivalError.pathNotAvailable(
                "its plaintext would be in the host's memory, which is not allowed",
                advice: "Use agents' cards that wrap private keys by RFC 5649, or set archival.host-plaintext-allowed.")
        }
    }

    /// Proves that a card opens the key and that it is the certificate's: on the card alone where it can, else in locked
    /// memory of this host, wiped at once.
    ///
    /// - Returns: whether it was in host memory.
    /// - Throws: ``ArchivalError``: `noRecoveryKey`, `keyMismatch`, `pathNotAvailable` where it would be in host memory and
    ///   must not; ``KeyProviderError``; ``PKIMessageError``.
    func prove(with card: any KeyToken, isHostPlaintextAllowed: Bool) async throws -> Bool {
        guard self.isOpenedOnToken(card) else {
            try self.mustBeAllowedInHostMemory(isHostPlaintextAllowed)
            _ = try await self.recover(with: [card])
            return true
        }
        guard let opening = try await self.opening(on: card) else { throw self.noRecoveryKey }
        try await self.withProvenKey(opening, on: card) { _, _ in }
        return false
    }

    /// The key, encrypted to one RSA key: by the card alone where it can, else through locked memory of this host.
    ///
    /// - Returns: an EnvelopedData to the receiver, as a requester would have made it.
    /// - Throws: as ``prove(with:isHostPlaintextAllowed:)``.
    package func sealed(
        with card: any KeyToken, to receiver: CertificateFields, oaepHashes: [HashAlgorithm],
        isHostPlaintextAllowed: Bool
    ) async throws -> (envelopedData: EnvelopedData, wasWrapped: Bool) {
        if self.isOpenedOnToken(card) {
            guard let opening = try await self.opening(on: card) else { throw self.noRecoveryKey }
            let wrapped = try await self.wrapped(
                opening, on: card, to: receiver.subjectPublicKeyInfo.derBytes, oaepHashes: oaepHashes)
            let recipient = try KeyTransRecipientInfo(
                rid: .issuerAndSerialNumber(IssuerAndSerialNumber(receiver)),
                keyEncryption: TransportPadding(wrapped.transport), encryptedKey: wrapped.encryptedKey)
            return (
                EnvelopedData(
                    recipients: [recipient], contentEncryptionAlgorithm: .aes256WrapPad,
                    encryptedContent: wrapped.wrappedPrivateKey), true
            )
        }
        try self.mustBeAllowedInHostMemory(isHostPlaintextAllowed)
        let recovered = try await self.recover(with: [card])
        let transport = oaepHashes.first.map { TransportPadding(.rsaOAEP($0)) } ?? .pkcs1v15
        return (
            try EnvelopedData.sealing(
                privateKey: recovered.privateKey.derBytes, to: [receiver], encryption: .aesKeyWrapPadded,
                transport: transport, random: LibCrypto.randomBytes), false
        )
    }
}
