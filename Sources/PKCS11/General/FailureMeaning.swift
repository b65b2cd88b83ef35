internal import Diagnostics

/// What a return value means to an operator: a code to look up, a clause, one sentence of advice, and whether asking
/// again can help. (PKCS #11 v2.40, section 5.1.)
struct FailureMeaning: Sendable {
    let hresult: HRESULT
    let summary: String
    let retry: RetryPolicy
    let advice: Advice

    init(_ hresult: HRESULT, _ summary: String, _ retry: RetryPolicy = .stop, _ advice: Advice) {
        self.hresult = hresult
        self.summary = summary
        self.retry = retry
        self.advice = advice
    }

    init(_ value: ReturnValue) {
        self = FailureMeaning.known(value) ?? FailureMeaning.unknown(value)
    }

    /// The meaning of a value that the specification names.
    static func known(_ value: ReturnValue) -> FailureMeaning? {
        self.ofLogin(value) ?? self.ofPresence(value) ?? self.ofSession(value) ?? self.ofHandle(value)
            ?? self.ofKeyUse(value) ?? self.ofData(value) ?? self.ofTemplate(value) ?? self.ofMechanism(value)
            ?? self.ofDevice(value) ?? self.ofModule(value)
    }

    static func unknown(_ value: ReturnValue) -> FailureMeaning {
        let vendor = value.rawValue >= 0x8000_0000
        return FailureMeaning(
            .unexpectedCardError, vendor ? "the device gave a code of its vendor" : "the device gave an unknown code",
            .stop, "Look the number up in the documentation of the token's vendor.")
    }

    private static func ofLogin(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .pinIncorrect:
            .init(
                .wrongPIN, "the PIN is wrong", .stop,
                "Check where the PIN comes from, and do not try again if the token says that one try is left.")
        case .pinLocked:
            .init(.pinBlocked, "the PIN is locked", .stop, "Have the security officer of the token reset the PIN.")
        case .pinInvalid, .pinLenRange:
            .init(
                .wrongPIN, "the token does not take a PIN of this form", .stop,
                "Use a PIN of the length and the characters that the token allows.")
        case .pinExpired, .newPINMode:
            .init(.wrongPIN, "the PIN has to be changed", .stop, "Change the PIN with the tool of the token's vendor.")
        case .pinTooWeak:
            .init(.wrongPIN, "the token finds the PIN too weak", .stop, "Choose a PIN that the token's rules allow.")
        case .userPINNotInitialized:
            .init(
                .notAuthenticated, "the token has no user PIN yet", .stop,
                "Have the security officer set the user PIN first.")
        case .userNotLoggedIn:
            .init(.notAuthenticated, "nobody is logged in", .relogin, "Log in to the token, then do it again.")
        case .userAlreadyLoggedIn:
            .init(.unexpectedCardError, "the user is logged in already", .stop, "Go on without another login.")
        case .userAnotherAlreadyLoggedIn, .userTooManyTypes:
            .init(
                .accessDenied, "somebody else is logged in to the token", .stop,
                "Log the other user out of the token first.")
        case .userTypeInvalid:
            .init(
                .invalidParameter, "the token has no user of this kind", .stop,
                "Use the security officer or the normal user.")
        case .nextOtp, .exceededMaxIterations:
            .init(
                .notAuthenticated, "the one-time password generator refused", .stop,
                "Resynchronise the token with the tool of its vendor.")
        default: nil
        }
    }

    private static func ofPresence(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .deviceRemoved, .tokenNotPresent:
            .init(.removedCard, "the token is gone", .stop, "Connect the token again, then start the operation anew.")
        case .tokenNotRecognized:
            .init(
                .cardUnsupported, "the module does not know this token", .stop,
                "Use the module that the token's vendor gives for this token.")
        case .tokenWriteProtected:
            .init(.accessDenied, "the token is write-protected", .stop, "Remove the write protection of the token.")
        case .slotIDInvalid:
            .init(.readerUnavailable, "there is no such slot", .stop, "List the slots again and choose one of them.")
        case .noEvent:
            .init(.noSmartCard, "no slot has changed", .retry, "Wait until a token is inserted or removed.")
        default: nil
        }
    }

    private static func ofSession(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .sessionClosed, .sessionHandleInvalid:
            .init(
                .removedCard, "the session has ended", .retry,
                "Open a new session; if this comes back, check that the device is not removed or restarted.")
        case .sessionCount:
            .init(
                .unexpectedCardError, "the device allows no further session", .retry,
                "Close other programs that use the token, or lower the number of sessions in the device profile.")
        case .sessionExists, .sessionReadOnlyExists, .sessionReadWriteSoExists:
            .init(
                .unexpectedCardError, "another session of this program is in the way", .stop,
                "Close the other sessions of this token first.")
        case .sessionReadOnly:
            .init(
                .accessDenied, "the session cannot write", .stop,
                "Use a read-write session to change objects of the token.")
        case .sessionParallelNotSupported:
            .init(.notSupported, "the session flags are not accepted", .stop, "Open the session as a serial session.")
        case .operationActive, .operationNotInitialized, .operationCancelFailed:
            .init(
                .unexpectedCardError, "an operation of the session is in a wrong state", .retry,
                "Close the session and use a new one.")
        case .savedStateInvalid, .stateUnsaveable:
            .init(
                .notSupported, "the state of the operation cannot be kept", .stop,
                "Do the operation in one session without saving its state.")
        default: nil
        }
    }

    private static func ofHandle(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .keyHandleInvalid, .objectHandleInvalid, .unwrappingKeyHandleInvalid, .wrappingKeyHandleInvalid:
            .init(
                .badKeyset, "the object is not there under its handle", .retry,
                "Find the object again by its label and CKA_ID, and check that nobody removed it.")
        case .keyChanged:
            .init(.badKey, "the key is not the one it was", .stop, "Find out who replaced the key on the token.")
        default: nil
        }
    }
}
