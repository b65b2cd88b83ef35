package import Diagnostics

/// An operator's or requester's command that could not be carried out. Nothing was changed.
package struct OperationError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let notIssued = Code(rawValue: "notIssued")
        package static let nothingToInstall = Code(rawValue: "nothingToInstall")
        package static let unknownToken = Code(rawValue: "unknownToken")
        package static let untrustedExchangeCertificate = Code(rawValue: "untrustedExchangeCertificate")
        package static let noTrustedCertificate = Code(rawValue: "noTrustedCertificate")
        package static let certificateKeyMismatch = Code(rawValue: "certificateKeyMismatch")
        package static let agentNotValid = Code(rawValue: "agentNotValid")
        package static let auditChainBroken = Code(rawValue: "auditChainBroken")
        package static let tokenWithoutLabel = Code(rawValue: "tokenWithoutLabel")
        package static let tokenExists = Code(rawValue: "tokenExists")
        package static let noEmptyToken = Code(rawValue: "noEmptyToken")
        package static let invalidName = Code(rawValue: "invalidName")
    }

    package var code: Code
    package var headline: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]

    package init(code: Code, headline: String, hresult: HRESULT, facts: [Fact] = [], advice: [Advice]) {
        self.code = code
        self.headline = headline
        self.hresult = hresult
        self.facts = facts
        self.advice = advice
    }

    package static func == (lhs: OperationError, rhs: OperationError) -> Bool { lhs.code == rhs.code }

    static func notIssued(_ requestID: Int64) -> OperationError {
        OperationError(
            code: .notIssued, headline: "Request \(requestID) has no certificate.", hresult: .propertyEmpty,
            advice: ["Look at it with `signet request list`; a pending one is issued by `signet request approve`."])
    }

    static func nothingToInstall(_ name: String) -> OperationError {
        OperationError(
            code: .nothingToInstall, headline: "\"\(name)\" waits for no certificate.", hresult: .badRequestStatus,
            advice: ["Look at the certificate that is in place with `signet ca show`."])
    }

    static func unknownToken(_ name: String) -> OperationError {
        OperationError(
            code: .unknownToken, headline: "signet.yaml has no token \"\(name)\".", hresult: .objectNotFound,
            advice: ["Describe the token under `tokens:` in signet.yaml, or name one that stands there."])
    }

    static func untrustedExchangeCertificate(_ reason: String) -> OperationError {
        OperationError(
            code: .untrustedExchangeCertificate,
            headline: "The private key was not encrypted to the exchange certificate: \(reason).",
            hresult: .untrustedRoot,
            advice: ["Fetch a fresh exchange certificate from the CA itself (`signet ca exchange`)."])
    }

    static func noTrustedCertificate() -> OperationError {
        OperationError(
            code: .noTrustedCertificate, headline: "The file of CA certificates has no certificate in it.",
            hresult: .notFound, advice: ["Write one with `signet ca show --pem-out FILE`."])
    }

    static func certificateKeyMismatch(_ token: String) -> OperationError {
        OperationError(
            code: .certificateKeyMismatch,
            headline: "The certificate's key is not on token \(token); nothing was written.", hresult: .noKeyContainer,
            advice: ["Insert the card on which the key was generated."])
    }

    static func agentNotValid(_ reason: String) -> OperationError {
        OperationError(
            code: .agentNotValid, headline: "The certificate cannot serve as key recovery agent: \(reason).",
            hresult: .noValidKRA, advice: ["Enrol one with `signet kra enroll` and have it approved."])
    }

    static func auditChainBroken(sequence: Int64) -> OperationError {
        OperationError(
            code: .auditChainBroken, headline: "The audit chain is broken at entry \(sequence).",
            hresult: .hashValue, facts: [Fact("entry", "\(sequence)")],
            advice: ["Keep the database as evidence, and compare it with the last backup."])
    }

    static func tokenWithoutLabel() -> OperationError {
        OperationError(
            code: .tokenWithoutLabel, headline: "The URI names no label for the token.", hresult: .invalidParameter,
            advice: ["Name it as pkcs11:token=LABEL."])
    }

    static func tokenExists(_ token: TokenIdentification) -> OperationError {
        OperationError(
            code: .tokenExists, headline: "Token \(token) is initialised already and is left as it is.",
            hresult: .alreadyExists,
            advice: ["Choose another label, or wipe the token with its maker's tool if nothing on it is needed."])
    }

    static func noEmptyToken() -> OperationError {
        OperationError(
            code: .noEmptyToken, headline: "The module has no empty token to initialise.", hresult: .noSmartCard,
            advice: ["Insert an empty card, or make room for a token in the module's own configuration."])
    }

    static func invalidName(_ what: String, _ reason: String) -> OperationError {
        OperationError(
            code: .invalidName, headline: "\(what) cannot be used: \(reason).", hresult: .invalidParameter,
            advice: ["Choose a name of printable characters."])
    }
}
