package import Diagnostics

/// A configuration that cannot be used, or a command that could not be carried out. Nothing was changed.
///
/// Equality is on ``code`` only.
package struct ServiceError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let notFound = Code(rawValue: "notFound")
        package static let unreadable = Code(rawValue: "unreadable")
        package static let invalidField = Code(rawValue: "invalidField")
        package static let invalidPINSource = Code(rawValue: "invalidPINSource")
        package static let secretUnavailable = Code(rawValue: "secretUnavailable")
        package static let cancelled = Code(rawValue: "cancelled")
        package static let looseFileMode = Code(rawValue: "looseFileMode")
        package static let exists = Code(rawValue: "exists")
        package static let notInstalled = Code(rawValue: "notInstalled")
        package static let moduleEnvironmentConflict = Code(rawValue: "moduleEnvironmentConflict")
        package static let noProfile = Code(rawValue: "noProfile")
        package static let tokenNotPresent = Code(rawValue: "tokenNotPresent")
        package static let inUse = Code(rawValue: "inUse")
        package static let notWritten = Code(rawValue: "notWritten")
        package static let notIssued = Code(rawValue: "notIssued")
        package static let nothingToInstall = Code(rawValue: "nothingToInstall")
        package static let keyNotNamed = Code(rawValue: "keyNotNamed")
        package static let renewalPending = Code(rawValue: "renewalPending")
        package static let unknownToken = Code(rawValue: "unknownToken")
        package static let untrustedExchangeCertificate = Code(rawValue: "untrustedExchangeCertificate")
        package static let noTrustedCertificate = Code(rawValue: "noTrustedCertificate")
        package static let certificateKeyMismatch = Code(rawValue: "certificateKeyMismatch")
        package static let agentNotValid = Code(rawValue: "agentNotValid")
        package static let agentNotConfigured = Code(rawValue: "agentNotConfigured")
        package static let tooFewAgents = Code(rawValue: "tooFewAgents")
        package static let auditChainBroken = Code(rawValue: "auditChainBroken")
        package static let tokenWithoutLabel = Code(rawValue: "tokenWithoutLabel")
        package static let tokenExists = Code(rawValue: "tokenExists")
        package static let noEmptyToken = Code(rawValue: "noEmptyToken")
        package static let noCRL = Code(rawValue: "noCRL")
        package static let hookFailed = Code(rawValue: "hookFailed")
        package static let invalidName = Code(rawValue: "invalidName")
        package static let keyLeftBehind = Code(rawValue: "keyLeftBehind")
        package static let notAnAuditFile = Code(rawValue: "notAnAuditFile")
        package static let noStoppedKey = Code(rawValue: "noStoppedKey")
        package static let suspended = Code(rawValue: "suspended")
        package static let coreDumpsNotForbidden = Code(rawValue: "coreDumpsNotForbidden")
        package static let unknownName = Code(rawValue: "unknownName")
    }

    package var code: Code
    package var headline: String
    package var hresult: HRESULT
    package var tokenFailure: TokenFailure?
    package var facts: [Fact]
    package var advice: [Advice]

    package init(
        code: Code, headline: String, hresult: HRESULT, tokenFailure: TokenFailure? = nil, facts: [Fact] = [],
        advice: [Advice]
    ) {
        self.code = code
        self.headline = headline
        self.hresult = hresult
        self.tokenFailure = tokenFailure
        self.facts = facts
        self.advice = advice
    }

    package static func == (lhs: ServiceError, rhs: ServiceError) -> Bool { lhs.code == rhs.code }
}
