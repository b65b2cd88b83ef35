public import Diagnostics

/// A PKCS #11 module that could not be loaded or initialised.
///
/// Equality is on the call's return value and on the kind of the failure, not on the texts.
public struct ModuleLoadError: DiagnosableError, Equatable {
    /// The path that was asked for.
    public let path: String
    /// What the loader said, as a clause.
    public let reason: String
    public let tokenFailure: TokenFailure?
    public let hresult: HRESULT
    public let advice: [Advice]

    public var headline: String { "Could not load the PKCS #11 module \(self.path): \(self.reason)." }

    static func notLoaded(_ path: String, reason: String) -> ModuleLoadError {
        ModuleLoadError(
            path: path, reason: reason, tokenFailure: nil, hresult: .moduleNotFound,
            advice: ["Give the full path of the PKCS #11 library that the token's vendor or the distribution installs."]
        )
    }

    static func notAModule(_ path: String, reason: String) -> ModuleLoadError {
        ModuleLoadError(
            path: path, reason: reason, tokenFailure: nil, hresult: .moduleNotFound,
            advice: ["Choose a library that exports C_GetFunctionList: this one is not a PKCS #11 module."])
    }

    static func notInitialized(_ path: String, _ error: PKCS11Error) -> ModuleLoadError {
        let meaning = FailureMeaning(error.returnValue)
        let first: Advice =
            "Check the configuration of the module: its file, its environment, its initialisation string."
        return ModuleLoadError(
            path: path, reason: "it does not initialise: \(meaning.summary)", tokenFailure: error.tokenFailure,
            hresult: meaning.hresult, advice: [first, meaning.advice])
    }

    public static func == (lhs: ModuleLoadError, rhs: ModuleLoadError) -> Bool {
        lhs.hresult == rhs.hresult && lhs.tokenFailure?.returnValue == rhs.tokenFailure?.returnValue
    }
}
