import KeyArchival
package import KeyProvider
import PKIMessages

extension [AgentRecovery.Blob] {
    /// True when the token has the key of an agent who opens one of them.
    package func containOne(openedBy token: any KeyFinding) async throws -> Bool {
        let keys = Set(try await token.keyPairs().map(\.locator.publicKeySHA256))
        return self.contains { $0.recovery.canBeOpened(byOneOf: keys) }
    }
}

/// Agents who open blobs together that none of them can open alone.
package struct SharedRecovery: Sendable {
    /// Messages from other agents to the one who combines the shares, each with a name for errors.
    private let messages: [(name: String, bytes: [UInt8])]

    package init(messages: [(name: String, bytes: [UInt8])] = []) {
        self.messages = messages
    }

    /// Opens the share of the agent whose card comes, for another agent.
    ///
    /// - Parameter name: serial number or thumbprint of the certificate of the agent who combines the shares.
    /// - Returns: the message, and whose share it is.
    /// - Throws: `ArchivalError`: `noSeal`, `noRecoveryKey`, `notAnAgent`, `badShare`; `KeyProviderError`.
    package static func message(
        of blob: AgentRecovery.Blob, for name: String, nextCard: ([AgentRecovery.Blob]) async throws -> any KeyToken
    ) async throws -> (message: [UInt8], holder: String) {
        let recovery = blob.recovery
        guard recovery.threshold != nil else { throw recovery.opensAlone }
        let card = try await nextCard([blob])
        guard let share = try await recovery.share(on: card) else { throw recovery.noRecoveryKey }
        let message = try recovery.message(with: share, for: name, random: LibCrypto.randomBytes)
        return (message, recovery.holder(of: share))
    }

    /// Opens as many shares of a blob as it needs, with one card after another, and combines them.
    ///
    /// - Parameters:
    ///   - cards: those that are open already; whichever are opened for it come behind them.
    ///   - nextCard: gives a token that has a share which is still wanted.
    ///   - progress: told after each share.
    /// - Returns: the blob, which one of the cards opens alone.
    /// - Throws: `ArchivalError` naming the holder of a share that is bad, foreign, for another card or there twice;
    ///   `KeyProviderError`; `PKIMessageError`.
    func combine(
        _ blob: AgentRecovery.Blob, _ cards: inout [any KeyToken],
        _ nextCard: ([AgentRecovery.Blob]) async throws -> any KeyToken, _ progress: (String) -> Void
    ) async throws -> AgentRecovery.Blob {
        let shares = try await self.shares(of: blob, &cards, nextCard, progress)
        return AgentRecovery.Blob(name: blob.name, recovery: try blob.recovery.combining(shares))
    }

    private func shares(
        of blob: AgentRecovery.Blob, _ cards: inout [any KeyToken],
        _ nextCard: ([AgentRecovery.Blob]) async throws -> any KeyToken, _ progress: (String) -> Void
    ) async throws -> [KeyShare] {
        let recovery = blob.recovery
        let needed = recovery.threshold?.threshold ?? 0
        var shares: [KeyShare] = []
        func add(_ share: KeyShare) {
            shares.append(share)
            progress("share \(shares.count) of \(needed): \(recovery.holder(of: share))")
        }
        // The first card is that of the agent to whom the others have passed their shares.
        for card in cards {
            guard let share = try await recovery.share(on: card) else { continue }
            add(share)
        }
        if shares.isEmpty {
            let card = try await nextCard([blob])
            guard let share = try await recovery.share(on: card) else { throw recovery.noRecoveryKey }
            cards.append(card)
            add(share)
        }
        for message in self.messages {
            add(try await self.share(in: message, recovery, cards))
        }
        while shares.count < needed {
            let waiting = recovery.waiting(without: shares)
            let card = try await nextCard([AgentRecovery.Blob(name: blob.name, recovery: waiting)])
            guard let share = try await recovery.share(on: card) else { throw waiting.noRecoveryKey }
            cards.append(card)
            add(share)
        }
        return shares
    }

    private func share(
        in message: (name: String, bytes: [UInt8]), _ recovery: KeyRecovery, _ cards: [any KeyToken]
    ) async throws -> KeyShare {
        for card in cards {
            if let share = try await recovery.share(inMessage: message.bytes, openedBy: card) { return share }
        }
        throw recovery.shareForAnother(message.name)
    }
}
