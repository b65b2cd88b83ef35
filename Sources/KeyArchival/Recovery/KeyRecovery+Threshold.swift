package import KeyProvider
import PKIMessages

/// Agents who open a key together, one after another: each opens the own share with the own card, and passes it on to
/// the one who combines them. See ``ThresholdEnvelope``.
extension KeyRecovery {
    /// The share that a card opens.
    ///
    /// - Returns: `nil` when the token has the key of no agent of this blob.
    /// - Throws: ``ArchivalError``: `noSeal`; `badShare` when it is not the one of the digest; ``KeyProviderError``;
    ///   ``PKIMessageError``.
    package func share(on token: any KeyFinding & KeyDecrypting) async throws -> KeyShare? {
        guard let threshold = self.threshold else { throw ArchivalError.noSeal() }
        let keys = try await token.keyPairs()
        for sealed in threshold.shares {
            let agent = self.recipient(sealed.recipient)
            guard let wanted = agent.certificate?.subjectPublicKeyInfo.sha256,
                let key = keys.first(where: { $0.locator.publicKeySHA256 == wanted })
            else { continue }
            return try await self.opened(sealed.message, sealed.recipient, with: key.locator, on: token)
        }
        return nil
    }

    /// A share that another agent has passed on to the holder of this card.
    ///
    /// - Parameter message: as ``message(with:for:random:)`` gives it.
    /// - Returns: `nil` when it is for none of the token's keys.
    /// - Throws: ``ArchivalError``: `noSeal`, `foreignShare`, `badShare`; ``KeyProviderError``; ``PKIMessageError``.
    package func share(
        inMessage message: [UInt8], openedBy token: any KeyFinding & KeyDecrypting
    ) async throws -> KeyShare? {
        let keys = try await token.keyPairs()
        let envelopedData = try EnvelopedData(contentInfoDER: message)
        for info in envelopedData.recipients {
            guard let wanted = self.recipient(info).certificate?.subjectPublicKeyInfo.sha256,
                let key = keys.first(where: { $0.locator.publicKeySHA256 == wanted })
            else { continue }
            return try await self.opened(envelopedData, info, with: key.locator, on: token)
        }
        return nil
    }

    private func opened(
        _ message: EnvelopedData, _ info: KeyTransRecipientInfo, with key: KeyLocator, on token: any KeyDecrypting
    ) async throws -> KeyShare {
        guard let threshold = self.threshold else { throw ArchivalError.noSeal() }
        let contentEncryptionKey = try await token.decrypt(
            info.encryptedKey, with: key, transport: KeyTransportAlgorithm(try info.keyEncryption))
        let share = try KeyShare(message, contentEncryptionKey: contentEncryptionKey)
        try threshold.check(share, from: self.holder(of: share))
        return share
    }

    /// The agent to whom a share was given when the key was archived.
    package func holder(of share: KeyShare) -> String {
        let sealed = self.threshold?.shares.first { $0.index == share.index }
        return sealed.map { self.recipient($0.recipient).description } ?? "nobody"
    }

    /// A share for the agent who will combine them, as a message that only that agent's card opens.
    ///
    /// - Parameter name: serial number or thumbprint (SHA-1 or SHA-256) of the agent's certificate, which must be in the
    ///   blob: only an agent to whom the key was archived can finish.
    /// - Throws: ``ArchivalError`` with code `notAnAgent` (0x80092004); ``PKIMessageError``.
    package func message(
        with share: KeyShare, for name: String, random: @Sendable (Int) throws -> [UInt8]
    ) throws -> [UInt8] {
        let wanted = name.filter { $0 != " " && $0 != ":" }.lowercased()
        for sealed in self.threshold?.shares ?? [] {
            guard let agent = self.recipient(sealed.recipient).certificate else { continue }
            let names = [
                agent.serialHex, Hexadecimal.lower(agent.sha1Thumbprint), Hexadecimal.lower(agent.sha256Thumbprint),
            ]
            guard names.contains(where: { $0.lowercased() == wanted }) else { continue }
            // The padding that the agent's own share has.
            let transport = try sealed.recipient.keyEncryption
            return try share.message(to: agent, transport: transport, random: random).contentInfoDER()
        }
        throw ArchivalError.notAnAgent(name)
    }

    /// The same blob without the agents whose shares are there: whose cards are still wanted.
    package func waiting(without shares: [KeyShare]) -> KeyRecovery {
        guard let threshold = self.threshold else { return self }
        var copy = self
        copy.recipients = threshold.shares
            .filter { sealed in !shares.contains { $0.index == sealed.index } }
            .map { self.recipient($0.recipient) }
        return copy
    }

    /// Combines shares into a blob that any one of the agents opens.
    ///
    /// - Throws: ``ArchivalError``: `sharesNeeded` (0x8009000D), `duplicateShare` (0x80070057), `foreignShare`, `badShare`
    ///   (0x80090005); ``PKIMessageError`` when the sealed content was changed.
    package func combining(_ shares: [KeyShare]) throws -> KeyRecovery {
        guard let threshold = self.threshold else { throw ArchivalError.noSeal() }
        for share in shares { try threshold.check(share, from: self.holder(of: share)) }
        var copy = self
        copy.envelopedData = try threshold.open(with: shares)
        copy.threshold = nil
        copy.recipients = copy.envelopedData.recipients.map(self.recipient)
        return copy
    }

    /// The same with the seal opened by the cards that are there, and the cards that opened it; as it is where one agent
    /// opens it alone.
    ///
    /// - Returns: `nil` when there are not enough of the agents' cards.
    /// - Throws: as ``share(on:)`` and ``combining(_:)``.
    func unsealed(
        with cards: [any KeyToken]
    ) async throws -> (recovery: KeyRecovery, cards: [any KeyToken])? {
        guard let threshold = self.threshold else { return (self, []) }
        var shares: [KeyShare] = []
        var used: [any KeyToken] = []
        for card in cards where shares.count < threshold.threshold {
            // Two cards may have the same key.
            guard let share = try await self.share(on: card), !shares.contains(where: { $0.index == share.index })
            else { continue }
            shares.append(share)
            used.append(card)
        }
        guard shares.count == threshold.threshold else { return nil }
        return (try self.combining(shares), used)
    }

    /// That there are no shares to be taken.
    package var opensAlone: ArchivalError { .noSeal() }

    /// That a message with a share is for no card that is there.
    package func shareForAnother(_ name: String) -> ArchivalError { .shareForAnother(name) }

    func mustBeOpenedByOne() throws {
        guard let threshold = self.threshold else { return }
        throw ArchivalError.sharesNeeded(threshold.threshold, of: threshold.count, present: 0)
    }
}
