public import Diagnostics

/// A key operation that did not happen.
///
/// Equality is on ``code`` only, so that tests stay short.
public struct KeyProviderError: DiagnosableError, Equatable {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The reference is not a `pkcs11:` URI.
        public static let notATokenReference = Code(rawValue: "notATokenReference")
        /// The URI has the scheme but cannot be read or names too little.
        public static let invalidReference = Code(rawValue: "invalidReference")
        /// The module file could not be loaded.
        public static let moduleNotLoaded = Code(rawValue: "moduleNotLoaded")
        /// No present token fits the reference.
        public static let tokenNotFound = Code(rawValue: "tokenNotFound")
        /// More than one present token fits the reference.
        public static let tokenAmbiguous = Code(rawValue: "tokenAmbiguous")
        /// The token has no such key.
        public static let keyNotFound = Code(rawValue: "keyNotFound")
        /// The key found under the reference has another public key.
        public static let keyMismatch = Code(rawValue: "keyMismatch")
        /// It does not fit on the token.
        public static let tokenFull = Code(rawValue: "tokenFull")
        public static let wrongPIN = Code(rawValue: "wrongPIN")
        public static let pinLocked = Code(rawValue: "pinLocked")
        public static let pinUnavailable = Code(rawValue: "pinUnavailable")
        public static let tokenRemoved = Code(rawValue: "tokenRemoved")
        /// The device, by its profile or its answer, cannot do this.
        public static let unsupported = Code(rawValue: "unsupported")
        /// The device profile does not exist or is not valid.
        public static let invalidProfile = Code(rawValue: "invalidProfile")
        /// A freshly made key is not what was asked for, or fails its proof.
        public static let keyNotProven = Code(rawValue: "keyNotProven")
        /// Ciphertext that the key does not open.
        public static let decryptionFailed = Code(rawValue: "decryptionFailed")
        /// No login is tried: a PIN was refused before, or the token warns that a wrong one was entered.
        public static let loginStopped = Code(rawValue: "loginStopped")
        /// A call did not return in time, or there was no free session in time.
        public static let timedOut = Code(rawValue: "timedOut")
        /// The token is down and was not asked; see ``TokenHealth``.
        public static let tokenDown = Code(rawValue: "tokenDown")
        /// Any other failure of a call; see ``KeyProviderError/tokenFailure``.
        public static let tokenCallFailed = Code(rawValue: "tokenCallFailed")
    }

    public var code: Code
    /// What was being done, such as `generate an rsa-4096 key pair`.
    public var operation: String
    /// What went wrong, as a clause.
    public var reason: String
    public var hresult: HRESULT
    public var tokenFailure: TokenFailure?
    /// What the failure means for what can be done next, where a call or its absence tells.
    public var failureClass: FailureClass?
    public var facts: [Fact]
    public var advice: [Advice]

    public init(
        code: Code, operation: String, reason: String, hresult: HRESULT, tokenFailure: TokenFailure? = nil,
        failureClass: FailureClass? = nil, facts: [Fact] = [], advice: [Advice]
    ) {
        self.failureClass = failureClass
        self.code = code
        self.operation = operation
        self.reason = reason
        self.hresult = hresult
        self.tokenFailure = tokenFailure
        self.facts = facts
        self.advice = advice
    }

    public var headline: String { "Could not \(self.operation): \(self.reason)." }

    public static func == (lhs: KeyProviderError, rhs: KeyProviderError) -> Bool { lhs.code == rhs.code }

    /// A key reference that does not begin with `pkcs11:`.
    public static func notATokenReference(_ text: String) -> KeyProviderError {
        KeyProviderError(
            code: .notATokenReference, operation: "use the key reference \"\(text)\"",
            reason: "it is not a pkcs11: URI, and keys of a certification authority are only ever on tokens",
            hresult: .invalidParameter,
            advice: ["Name the key as pkcs11:token=LABEL;serial=SERIAL;id=%01 (RFC 7512)."])
    }
}
