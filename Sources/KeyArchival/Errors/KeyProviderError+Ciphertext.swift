import Diagnostics
import KeyProvider

/// A token that would not open a ciphertext.
struct RefusedCiphertext {
    /// The call, when its return value may also mean that the device failed; `nil` when it can only mean the
    /// ciphertext.
    let tokenFailure: TokenFailure?

    /// Devices answer to a wrong ciphertext with anything from `CKR_ENCRYPTED_DATA_INVALID` to `CKR_GENERAL_ERROR`.
    private static let answers = Set(
        [
            "CKR_GENERAL_ERROR", "CKR_FUNCTION_FAILED", "CKR_ARGUMENTS_BAD", "CKR_DATA_INVALID", "CKR_DATA_LEN_RANGE",
            "CKR_DEVICE_ERROR", "CKR_TEMPLATE_INCONSISTENT",
        ].compactMap { ReturnValue(name: $0) })
    private static let functions: Set = ["C_Decrypt", "C_UnwrapKey", "C_DeriveKey"]
    /// What devices say of a key that was unwrapped a moment ago and is on another curve than the point, or on none.
    private static let curveAnswers = Set(
        [
            "CKR_MECHANISM_PARAM_INVALID", "CKR_DOMAIN_PARAMS_INVALID", "CKR_KEY_SIZE_RANGE", "CKR_KEY_HANDLE_INVALID",
            "CKR_KEY_TYPE_INCONSISTENT",
        ].compactMap { ReturnValue(name: $0) })

    /// - Returns: `nil` for an error that has another cause: a lost token, a missing mechanism, a key that is gone.
    init?(_ error: KeyProviderError) {
        if error.code == .decryptionFailed {
            self.tokenFailure = nil
            return
        }
        if let failure = error.tokenFailure, failure.function == "C_DeriveKey",
            Self.curveAnswers.contains(failure.returnValue)
        {
            self.tokenFailure = failure
            return
        }
        guard error.code == .tokenCallFailed, let failure = error.tokenFailure,
            Self.functions.contains(failure.function), Self.answers.contains(failure.returnValue)
        else { return nil }
        self.tokenFailure = failure
    }
}
