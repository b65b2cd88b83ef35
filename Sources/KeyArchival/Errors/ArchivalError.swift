package import Diagnostics

/// Why a private key could not be archived, found or recovered. Equality is on ``code`` alone.
package struct ArchivalError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// No key recovery agent is configured.
        package static let notConfigured = Code(rawValue: "notConfigured")
        /// A configured agent's certificate fails a check, or there are fewer agents than each key needs.
        package static let noValidAgent = Code(rawValue: "noValidAgent")
        /// A key of a kind that is not archived, or not put on tokens.
        package static let unsupportedKey = Code(rawValue: "unsupportedKey")
        /// The private key says that it may only sign.
        package static let signatureOnlyKey = Code(rawValue: "signatureOnlyKey")
        /// The key is encrypted to no exchange certificate of this CA.
        package static let recipientNotFound = Code(rawValue: "recipientNotFound")
        /// The exchange key that would open it was removed from its token.
        package static let exchangeKeyRetired = Code(rawValue: "exchangeKeyRetired")
        /// The exchange certificate that it is encrypted to is revoked.
        package static let exchangeCertificateRevoked = Code(rawValue: "exchangeCertificateRevoked")
        /// The exchange key does not open what was sent.
        package static let notDecrypted = Code(rawValue: "notDecrypted")
        /// What was sent opens, and is no private key.
        package static let malformedKey = Code(rawValue: "malformedKey")
        /// The private key does not belong to the public key.
        package static let keyMismatch = Code(rawValue: "keyMismatch")
        /// The configured format would need plaintext where it is not allowed, or a token that can do more.
        package static let pathNotAvailable = Code(rawValue: "pathNotAvailable")
        /// No archived key, or no certificate to it.
        package static let noArchivedKey = Code(rawValue: "noArchivedKey")
        /// The certificate of an agent to whom the key was archived is not in the database.
        package static let agentCertificateMissing = Code(rawValue: "agentCertificateMissing")
        /// A record that is not what was stored when the key was archived.
        package static let changedRecord = Code(rawValue: "changedRecord")
        /// The CA key does not vouch for the evidence of an archived key.
        package static let evidenceNotSigned = Code(rawValue: "evidenceNotSigned")
        /// Nothing fits the search term.
        package static let nothingFound = Code(rawValue: "nothingFound")
        /// More than one archived key fits the search term.
        package static let ambiguousName = Code(rawValue: "ambiguousName")
        /// A recovery blob that none of the trusted certification authorities signed.
        package static let untrustedBlob = Code(rawValue: "untrustedBlob")
        /// None of the tokens has a key that opens the blob.
        package static let noRecoveryKey = Code(rawValue: "noRecoveryKey")
        /// A certificate that this CA has not issued, or may not take.
        package static let foreignCertificate = Code(rawValue: "foreignCertificate")
        /// A file in none of the formats that keys are imported from.
        package static let unknownKeyFile = Code(rawValue: "unknownKeyFile")
        /// The typed beginning of a thumbprint is not the certificate's.
        package static let thumbprintMismatch = Code(rawValue: "thumbprintMismatch")

        /// Too few agents have opened their shares.
        package static let sharesNeeded = Code(rawValue: "sharesNeeded")
        /// A share of another archived key.
        package static let foreignShare = Code(rawValue: "foreignShare")
        /// A share that is not the one that was archived.
        package static let badShare = Code(rawValue: "badShare")
        /// One share was given twice.
        package static let duplicateShare = Code(rawValue: "duplicateShare")
        /// A share was passed on to an agent whose card is not there.
        package static let shareForAnother = Code(rawValue: "shareForAnother")
        /// The receiver of a share is no agent of the blob.
        package static let notAnAgent = Code(rawValue: "notAnAgent")
        /// There are no shares, because one agent alone opens it.
        package static let noSeal = Code(rawValue: "noSeal")

        static let all: [Code] = [
            .foreignCertificate, .unknownKeyFile, .thumbprintMismatch,
            .notConfigured, .noValidAgent, .unsupportedKey, .signatureOnlyKey, .recipientNotFound,
            .exchangeKeyRetired, .exchangeCertificateRevoked, .notDecrypted,
            .malformedKey, .keyMismatch, .pathNotAvailable, .noArchivedKey, .agentCertificateMissing,
            .changedRecord, .evidenceNotSigned, .nothingFound, .ambiguousName, .untrustedBlob, .noRecoveryKey,
            .sharesNeeded, .foreignShare,
            .badShare,
            .duplicateShare, .shareForAnother, .notAnAgent, .noSeal,
        ]
    }

    package let code: Code
    /// What was being done, as "archive the private key".
    package let operation: String
    /// What went wrong, as a clause.
    package let reason: String
    package let hresult: HRESULT
    /// The call behind the failure, where it may have been the token's own.
    package let tokenFailure: TokenFailure?
    package let facts: [Fact]
    package let advice: [Advice]

    init(
        code: Code, operation: String, reason: String, hresult: HRESULT, tokenFailure: TokenFailure? = nil,
        facts: [Fact] = [], advice: [Advice]
    ) {
        self.code = code
        self.operation = operation
        self.reason = reason
        self.hresult = hresult
        self.tokenFailure = tokenFailure
        self.facts = facts
        self.advice = advice
    }

    package var headline: String { "Could not \(self.operation): \(self.reason)." }

    package static func == (lhs: ArchivalError, rhs: ArchivalError) -> Bool { lhs.code == rhs.code }
}
