public import Diagnostics

/// A call into a PKCS #11 module that did not return `CKR_OK`.
///
/// Equality is on ``returnValue`` only.
public struct PKCS11Error: DiagnosableError, Equatable {
    /// What the module answered; a value without a name survives.
    public let returnValue: ReturnValue
    /// The C function, such as `C_UnwrapKey`.
    public let function: String
    /// The mechanism of the call, where it had one.
    public let mechanism: MechanismType?
    /// The token, where the call concerned one.
    public let token: TokenIdentification?

    public init(
        returnValue: ReturnValue, function: String, mechanism: MechanismType? = nil, token: TokenIdentification? = nil
    ) {
        self.returnValue = returnValue
        self.function = function
        self.mechanism = mechanism
        self.token = token
    }

    public var headline: String {
        let mechanism = self.mechanism.map { " with \($0)" } ?? ""
        let place = self.token.map { " on the token \($0)" } ?? ""
        return "The call \(self.function)\(mechanism)\(place) failed: \(self.meaning.summary)."
    }

    public var hresult: HRESULT { self.meaning.hresult }

    public var tokenFailure: TokenFailure? {
        TokenFailure(
            function: self.function, returnValue: self.returnValue, mechanism: self.mechanism?.description,
            token: self.token)
    }

    public var advice: [Advice] { [self.meaning.advice] }

    /// Whether asking again can help. A refused PIN is always ``RetryPolicy/stop``.
    public var retryPolicy: RetryPolicy { self.meaning.retry }

    private var meaning: FailureMeaning { FailureMeaning(self.returnValue) }

    public static func == (lhs: PKCS11Error, rhs: PKCS11Error) -> Bool { lhs.returnValue == rhs.returnValue }
}

/// What a caller may do after a failure, for operations that are idempotent. Key generation, object creation and PIN
/// entry are never repeated whatever this says.
public enum RetryPolicy: Hashable, Sendable {
    /// A new session, or the object found again, can succeed.
    case retry
    /// The login is gone; a new login comes first.
    case relogin
    /// The same call fails again, or must not be made again.
    case stop
}
