package import Diagnostics
import Foundation

/// Issuing stopped for a reason that is not the requester's.
package struct IssuanceError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// The token returned a signature that the public key does not verify.
        package static let wrongSignature = Code(rawValue: "wrongSignature")
        /// The key is out of use: it returned a wrong signature, or did not work at a restoration.
        package static let keyStopped = Code(rawValue: "keyStopped")
        /// A request brought a private key, and the CA has no archiver.
        package static let archivalNotConfigured = Code(rawValue: "archivalNotConfigured")
        /// The template of exchange certificates is required, and this CA does not issue from it.
        package static let exchangeTemplateMissing = Code(rawValue: "exchangeTemplateMissing")
        /// The certificate about to be signed is not what policy decided.
        package static let contentMismatch = Code(rawValue: "contentMismatch")
        /// The CA's own certificate is not valid now.
        package static let caCertificateExpired = Code(rawValue: "caCertificateExpired")
        /// The CA's own certificate, or one above it, is on a CRL of its issuer.
        package static let caCertificateRevoked = Code(rawValue: "caCertificateRevoked")
        /// The chain from the CA's own certificate to the root is not complete.
        package static let caChainBroken = Code(rawValue: "caChainBroken")
        /// The CA's own certificate, or its chain, cannot be used.
        package static let invalidCACertificate = Code(rawValue: "invalidCACertificate")
        /// The key pair cannot do what its certificate is for.
        package static let unsuitableKey = Code(rawValue: "unsuitableKey")
        /// Somebody else has settled the request meanwhile.
        package static let superseded = Code(rawValue: "superseded")
        package static let invalidConfiguration = Code(rawValue: "invalidConfiguration")
        /// The adapter for swift-certificates was asked for something that a token key does not do.
        package static let unsupportedKeyOperation = Code(rawValue: "unsupportedKeyOperation")
        /// A failure without a code of its own: a defect.
        package static let unexpected = Code(rawValue: "unexpected")
    }

    package var code: Code
    package var operation: String
    package var reason: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]

    package var headline: String { "Could not \(self.operation): \(self.reason)." }

    package static func == (lhs: IssuanceError, rhs: IssuanceError) -> Bool { lhs.code == rhs.code }
}

extension IssuanceError {
    /// - Parameter finding: what was found when the key was looked for again, where it was.
    static func wrongSignature(key: String, finding: String? = nil) -> IssuanceError {
        IssuanceError(
            code: .wrongSignature, operation: "sign with the key \(key)",
            reason: "the signature that the token returned does not verify with the key's public key; the key is "
                + "out of use and nothing was issued",
            hresult: .badSignature, facts: [Fact("key", key)] + [finding.map { Fact("found", $0) }].compactMap(\.self),
            advice: [
                "Treat this as an incident: examine the token before it signs again.",
                "Release the key with `signet ca release-key` only when the token is known to be sound.",
            ])
    }

    static func keyStopped(key: String, _ stop: KeyStop) -> IssuanceError {
        let details = [
            stop.when.map { Fact("stopped", $0.ISO8601Format()) }, stop.finding.map { Fact("found then", $0) },
        ]
        return IssuanceError(
            code: .keyStopped, operation: "sign with the key \(key)",
            reason: stop.reason, hresult: .badKeyState, facts: [Fact("key", key)] + details.compactMap(\.self),
            advice: [stop.advice])
    }

    static func archivalNotConfigured() -> IssuanceError {
        IssuanceError(
            code: .archivalNotConfigured, operation: "archive a private key",
            reason: "this certification authority has no exchange key or no key recovery agent",
            hresult: .keyArchivalNotConfigured, facts: [],
            advice: ["Add a key recovery agent and an exchange key before users enrol for templates that archive."])
    }

    static func exchangeTemplateMissing(_ name: String) -> IssuanceError {
        IssuanceError(
            code: .exchangeTemplateMissing, operation: "make a CA exchange certificate",
            reason: "this certification authority does not issue from the template \(name), and is set to need it",
            hresult: .unsupportedCertType, facts: [Fact("template", name)],
            advice: ["Enable it with `signet template enable`, or set exchange.require-template to false."])
    }

    /// - Parameter finding: the linter's words.
    static func contentMismatch(_ finding: String) -> IssuanceError {
        IssuanceError(
            code: .contentMismatch, operation: "check a certificate before it is signed", reason: finding,
            hresult: .unexpected, facts: [],
            advice: ["Report this as a defect, with the request's number; nothing was signed."])
    }

    static func caCertificateExpired(notAfter: String) -> IssuanceError {
        IssuanceError(
            code: .caCertificateExpired, operation: "issue a certificate",
            reason: "the certification authority's own certificate is not valid now",
            hresult: .certificateExpired, facts: [Fact("not after", notAfter)],
            advice: ["Check the clock, then renew the certification authority's certificate."])
    }

    static func invalidCACertificate(_ reason: String) -> IssuanceError {
        IssuanceError(
            code: .invalidCACertificate, operation: "use the certification authority's certificate", reason: reason,
            hresult: .invalidCACertificate, facts: [],
            advice: ["Install the certificate that was issued for this key, with its whole chain up to the root."])
    }

    static func unsuitableKey(_ operation: String, _ reason: String) -> IssuanceError {
        IssuanceError(
            code: .unsuitableKey, operation: operation, reason: reason, hresult: .badKey, facts: [],
            advice: ["Generate an RSA key of at least 2048 bits on the token."])
    }

    /// - Parameter kind: the type of the error that came without a code. Its text is left out: nobody has vouched for
    ///   its being free of secrets.
    static func unexpected(_ kind: String) -> IssuanceError {
        IssuanceError(
            code: .unexpected, operation: "process a request", reason: "an error without a code came up (\(kind))",
            hresult: .unexpected, facts: [Fact("error", kind)],
            advice: ["Report this as a defect: an error reached the certification authority without a code."])
    }

    static func superseded(_ requestID: Int64) -> IssuanceError {
        IssuanceError(
            code: .superseded, operation: "store the outcome of request \(requestID)",
            reason: "the request was settled by somebody else meanwhile; what was signed for it is discarded",
            hresult: .badRequestStatus, facts: [Fact("request", "\(requestID)")],
            advice: ["Run one service on an instance at a time."])
    }

    package static func invalidConfiguration(_ what: String, _ reason: String) -> IssuanceError {
        IssuanceError(
            code: .invalidConfiguration, operation: "use \(what)", reason: reason, hresult: .invalidParameter,
            facts: [], advice: ["Correct the instance's configuration or template file."])
    }

    static func unsupportedKeyOperation(_ what: String) -> IssuanceError {
        IssuanceError(
            code: .unsupportedKeyOperation, operation: what, reason: "a key on a token cannot do that",
            hresult: .notSupported, facts: [],
            advice: ["Sign asynchronously, and name the key by its pkcs11: URI."])
    }
}

extension KeyStop {
    fileprivate var reason: String {
        switch self.cause {
        case .wrongSignature:
            "the key is out of use since its token returned a signature that did not fit it; the token was not asked now"
        case .notProven:
            "the key is out of use because it did not work when the authority was restored; its token was not asked now"
        case nil:
            "the key is out of use since it returned a wrong signature, or did not work when the authority was restored"
        }
    }

    fileprivate var advice: Advice {
        switch self.cause {
        case .notProven: "Connect the key's token, see that it signs, and run `signet ca release-key`."
        case .wrongSignature, nil:
            "Read audit event 10003, examine the token, and run `signet ca release-key` when it is sound."
        }
    }
}
