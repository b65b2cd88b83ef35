import Diagnostics

extension ArchivalError {
    private static let archiving = "archive the private key"

    static func notConfigured() -> ArchivalError {
        ArchivalError(
            code: .notConfigured, operation: self.archiving, reason: "no key recovery agent is configured",
            hresult: .keyArchivalNotConfigured,
            advice: ["Enrol an agent with `signet kra enroll`, then add it with `signet kra add`."])
    }

    /// - Parameter statuses: those of all agents that fail a check.
    static func noValidAgent(_ statuses: [KRAStatus]) -> ArchivalError {
        ArchivalError(
            code: .noValidAgent, operation: self.archiving,
            reason: "the certificate of a configured key recovery agent is not valid",
            hresult: .noValidKRA, facts: statuses.map { Fact("key recovery agent", $0.description) },
            advice: ["Replace the certificate that is named, or renew it; all configured agents must be valid."])
    }

    static func tooFewAgents(needed: Int, configured: Int) -> ArchivalError {
        ArchivalError(
            code: .noValidAgent, operation: self.archiving,
            reason: "each key is to be archived to more key recovery agents than are configured",
            hresult: .noValidKRA, facts: [Fact("needed", "\(needed)"), Fact("configured", "\(configured)")],
            advice: ["Add key recovery agents with `signet kra add`, or lower archival.recovery-agents."])
    }

    package static func unsupportedKey() -> ArchivalError {
        ArchivalError(
            code: .unsupportedKey, operation: self.archiving, reason: "keys of this kind are not archived",
            hresult: .badAlgorithm,
            advice: [
                "Request with an RSA key, or from a template that does not archive; microsoft-2003 has no other keys."
            ])
    }

    static func notForToken() -> ArchivalError {
        ArchivalError(
            code: .unsupportedKey, operation: "put a private key on a token",
            reason: "keys of this kind are not put on tokens", hresult: .badAlgorithm,
            advice: ["Keep the key in a PKCS #12 file, which takes every kind."])
    }

    static func signatureOnlyKey() -> ArchivalError {
        ArchivalError(
            code: .signatureOnlyKey, operation: self.archiving, reason: "the key is a signature key",
            hresult: .badKeyState,
            advice: ["Archive key-exchange keys only: a signature key that others have proves nothing."])
    }

    static func recipientNotFound(recipients: Int) -> ArchivalError {
        ArchivalError(
            code: .recipientNotFound, operation: self.archiving,
            reason: "it is encrypted to no exchange certificate of this certification authority",
            hresult: .recipientNotFound, facts: [Fact("recipients", "\(recipients)")],
            advice: ["Fetch the current exchange certificate, and encrypt the key to it."])
    }

    static func exchangeKeyRetired(_ serialNumber: String) -> ArchivalError {
        ArchivalError(
            code: .exchangeKeyRetired, operation: self.archiving,
            reason: "it is encrypted to an exchange certificate whose key is no more on the token",
            hresult: .recipientNotFound, facts: [Fact("exchange certificate", serialNumber)],
            advice: ["Fetch the current exchange certificate, and encrypt the key to it."])
    }

    static func exchangeCertificateRevoked(_ serialNumber: String) -> ArchivalError {
        ArchivalError(
            code: .exchangeCertificateRevoked, operation: self.archiving,
            reason: "it is encrypted to an exchange certificate that is revoked", hresult: .revoked,
            facts: [Fact("exchange certificate", serialNumber)],
            advice: ["Make a new key: others may have this one. Encrypt it to the current exchange certificate."])
    }

    /// One error for every way in which ciphertext can fail to open, so that nobody can use the CA to find out
    /// which one it was (RFC 3218).
    ///
    /// - Parameter tokenFailure: a call that failed with a code that may have another cause than the ciphertext. A
    ///   remote client never sees it.
    static func notDecrypted(_ tokenFailure: TokenFailure? = nil) -> ArchivalError {
        ArchivalError(
            code: .notDecrypted, operation: self.archiving, reason: "the encrypted private key does not open",
            hresult: .badData, tokenFailure: tokenFailure,
            advice: ["Encrypt the key again, to the current exchange certificate."])
    }

    static func malformedKey(_ reason: String) -> ArchivalError {
        ArchivalError(
            code: .malformedKey, operation: self.archiving, reason: "what was encrypted is no private key: \(reason)",
            hresult: .invalidData,
            advice: ["Encrypt the key as PKCS #8 PrivateKeyInfo, or as an RSA PRIVATEKEYBLOB."])
    }

    static func keyMismatch(
        _ operation: String = Self.archiving, with what: String, _ tokenFailure: TokenFailure? = nil
    ) -> ArchivalError {
        ArchivalError(
            code: .keyMismatch, operation: operation, reason: "the private key does not belong to \(what)",
            hresult: .badKey, tokenFailure: tokenFailure,
            advice: ["Use the private key that belongs to the public key."])
    }

    static func pathNotAvailable(_ reason: String, advice: Advice) -> ArchivalError {
        ArchivalError(
            code: .pathNotAvailable, operation: self.archiving, reason: reason, hresult: .notSupported,
            advice: [advice])
    }
}
