package import Diagnostics

/// What the web front itself refuses or cannot do. Answers of the certification authority are not errors of this
/// type: they arrive as results or as the authority's own errors.
///
/// Equality is on ``code`` only.
package struct EnrollmentWebError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        // While serving.
        package static let invalidParameter = Code(rawValue: "invalidParameter")
        package static let bodyTooLarge = Code(rawValue: "bodyTooLarge")
        package static let unsupportedMediaType = Code(rawValue: "unsupportedMediaType")
        package static let authenticationRequired = Code(rawValue: "authenticationRequired")
        package static let tooManyAttempts = Code(rawValue: "tooManyAttempts")
        package static let busy = Code(rawValue: "busy")
        package static let crossSiteRequest = Code(rawValue: "crossSiteRequest")
        package static let methodNotAllowed = Code(rawValue: "methodNotAllowed")
        package static let notPublished = Code(rawValue: "notPublished")
        // At start.
        package static let plainHTTPRefused = Code(rawValue: "plainHTTPRefused")
        package static let invalidTLSCertificate = Code(rawValue: "invalidTLSCertificate")
        package static let invalidTLSKey = Code(rawValue: "invalidTLSKey")
        package static let cannotListen = Code(rawValue: "cannotListen")
        // In a TLS handshake.
        package static let wrongHandshakeSignature = Code(rawValue: "wrongHandshakeSignature")
        package static let unsupportedHandshakeAlgorithm = Code(rawValue: "unsupportedHandshakeAlgorithm")
    }

    package var code: Code
    package var operation: String
    package var reason: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]
    /// For ``Code/tooManyAttempts`` and ``Code/busy``: after how many seconds to come back.
    package var retryAfter: Int?

    init(
        _ code: Code, operation: String, reason: String, hresult: HRESULT, facts: [Fact] = [], advice: Advice,
        retryAfter: Int? = nil
    ) {
        self.code = code
        self.operation = operation
        self.reason = reason
        self.hresult = hresult
        self.facts = facts
        self.advice = [advice]
        self.retryAfter = retryAfter
    }

    package var headline: String { "Could not \(self.operation): \(self.reason)." }

    package static func == (lhs: EnrollmentWebError, rhs: EnrollmentWebError) -> Bool { lhs.code == rhs.code }
}
