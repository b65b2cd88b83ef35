internal import Diagnostics
internal import KeyProvider
internal import PKCS11

/// The rungs of the ladder by which a token is brought back, the cheapest first. Each leads to a new generation of
/// sessions and handles: keys are found again by their locators, and their public keys compared.
enum Rung: Int, Comparable, CaseIterable, Sendable {
    /// New sessions.
    case reopen
    /// New sessions and a new login.
    case relogin
    /// `C_GetSlotList`, the token with the same serial number and label in whatever slot it now is, a new login.
    case rescan
    /// `C_Finalize` and `C_Initialize`, then as ``rescan``.
    case reinitialize

    static func < (lhs: Rung, rhs: Rung) -> Bool { lhs.rawValue < rhs.rawValue }

    var next: Rung? { Rung(rawValue: self.rawValue + 1) }

    var name: String {
        switch self {
        case .reopen: "open new sessions"
        case .relogin: "log in again"
        case .rescan: "look for the token in all slots"
        case .reinitialize: "initialise the module again"
        }
    }
}

/// What a failure asks for.
struct TokenSetback {
    let failureClass: FailureClass
    /// The rungs that can mend it; empty for a failure that would come again.
    let rungs: ClosedRange<Rung>?
    let error: any Error

    /// - Returns: `nil` for an error that is not one of a token call.
    init?(_ error: any Error, classified: (PKCS11Error) -> FailureClass) {
        self.error = error
        switch error {
        case let error as PKCS11Error:
            self.failureClass = classified(error)
            self.rungs = TokenSetback.rungs(self.failureClass, error)
        case let error as TokenWaitError:
            switch error.code {
            case .closed, .outdated:
                // Another task has brought the token back in the meantime, or the store is closed.
                self.failureClass = .sessionLost
                self.rungs = .reopen ... .rescan
            case .busy:
                self.failureClass = .throttled
                self.rungs = nil
            default:
                // Asking again would make the caller wait as long again.
                self.failureClass = .ambiguous
                self.rungs = nil
            }
        default: return nil
        }
    }

    private static func rungs(_ failureClass: FailureClass, _ error: PKCS11Error) -> ClosedRange<Rung>? {
        switch failureClass {
        case .sessionLost:
            error.returnValue == .cryptokiNotInitialized ? .reinitialize ... .reinitialize : .reopen ... .reinitialize
        case .authLost: .relogin ... .reinitialize
        case .tokenGone: .rescan ... .reinitialize
        // Daemons that were restarted say CKR_DEVICE_ERROR once; a device that is broken says it always.
        case .ambiguous: .reopen ... .rescan
        case .capacity, .authBlocked, .throttled, .unsupported, .badRequest: nil
        }
    }
}
