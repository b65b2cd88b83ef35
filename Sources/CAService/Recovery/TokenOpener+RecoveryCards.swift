import Diagnostics
import KeyArchival
package import KeyProvider
import PKCS11
import PKCS11KeyProvider

extension TokenOpener {
    private static let lookInterval = Duration.milliseconds(500)

    /// Finds, without a PIN, which of the tokens that are there has the key of an agent who can open one of the blobs,
    /// and opens that one. Where a person is at the terminal, it asks for the card and waits for it.
    ///
    /// - Parameters:
    ///   - configurations: where to look; a reference of `pkcs11:` alone means every token behind the module.
    /// - Throws: `ArchivalError` with code `noRecoveryKey` (0x8009000D) when no such token is there.
    package func openCard(
        among configurations: [TokenConfiguration], for blobs: [AgentRecovery.Blob]
    ) async throws -> any KeyToken {
        var hasAsked = false
        while true {
            try Task.checkCancellation()
            if let configuration = try await self.fitting(configurations, blobs) {
                return try await self.open(configuration)
            }
            guard let tell = self.secrets.tell, let first = blobs.first else {
                throw blobs.first?.recovery.noRecoveryKey ?? ServiceError.noRecoveryCard()
            }
            if !hasAsked {
                tell(
                    "Insert the card of one of: \(first.recipients.joined(separator: "; ")). Control-C ends the waiting."
                )
                hasAsked = true
            }
            try await Task.sleep(for: TokenOpener.lookInterval)
        }
    }

    private func fitting(
        _ configurations: [TokenConfiguration], _ blobs: [AgentRecovery.Blob]
    ) async throws -> TokenConfiguration? {
        var named: TokenConfiguration?
        for configuration in configurations {
            let reference = try PKCS11URI(configuration.token)
            // Loaded here, with the environment that it reads.
            _ = try await self.module(of: configuration)
            let present = try await TokenCensusTaker(modules: self.modules).look(
                modulePath: configuration.module, initializationString: configuration.moduleArguments)
            for candidate in present where reference.matches(candidate.token) {
                if blobs.contains(where: { $0.recovery.canBeOpened(byOneOf: candidate.publicKeySHA256) }) {
                    return configuration.naming(candidate.token)
                }
                // A card that shows nothing before its PIN may still have the key.
                if reference.token != nil || reference.serial != nil, candidate.publicKeySHA256.isEmpty {
                    named = configuration.naming(candidate.token)
                }
            }
        }
        return named
    }
}

extension TokenConfiguration {
    /// The same, for this token and no other.
    fileprivate func naming(_ token: TokenIdentification) -> TokenConfiguration {
        var uri = PKCS11URI()
        uri.token = token.label
        uri.serial = token.serialNumber
        uri.manufacturer = token.manufacturer
        uri.model = token.model
        var copy = self
        copy.token = uri.description
        return copy
    }
}

extension ServiceError {
    fileprivate static func noRecoveryCard() -> ServiceError {
        ServiceError(
            code: Code(rawValue: "noRecoveryCard"), headline: "There is no recovery blob to open.",
            hresult: .invalidParameter, advice: ["Name at least one recovery blob."])
    }
}
