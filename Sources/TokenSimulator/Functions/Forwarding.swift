internal import CPKCS11

/// How calls are passed on to the module inside, by the shape of their parameters. What the simulator has to know of a
/// call follows from these: an output without a place for it only asks for its size, and an input is what the card is
/// handed.
///
/// `function` finds a function of the module inside; one that it does not have gives `CKR_FUNCTION_NOT_SUPPORTED`.
extension Simulator {
    typealias Bytes = UnsafeMutablePointer<UInt8>
    typealias Count = UnsafeMutablePointer<CK_ULONG>

    /// `(session)`
    func pass(
        _ name: FunctionName, _ function: (SessionUse) -> (@convention(c) (CK_SESSION_HANDLE) -> CK_RV)?,
        _ session: CK_SESSION_HANDLE
    ) -> CK_RV {
        self.inSession(name, session) { function($0)?($0.handle) }
    }

    /// `(session, input)`
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (@convention(c) (CK_SESSION_HANDLE, Bytes?, CK_ULONG) -> CK_RV)?,
        _ session: CK_SESSION_HANDLE, _ input: Bytes?, _ inputLength: CK_ULONG
    ) -> CK_RV {
        self.inSession(name, session, dataLength: inputLength) { function($0)?($0.handle, input, inputLength) }
    }

    /// `(session, output)`
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (@convention(c) (CK_SESSION_HANDLE, Bytes?, Count?) -> CK_RV)?,
        _ session: CK_SESSION_HANDLE, _ output: Bytes?, _ outputLength: Count?
    ) -> CK_RV {
        self.inSession(name, session, isSizeQuery: output == nil) { function($0)?($0.handle, output, outputLength) }
    }

    /// `(session, input, output)`
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (@convention(c) (CK_SESSION_HANDLE, Bytes?, CK_ULONG, Bytes?, Count?) -> CK_RV)?,
        _ session: CK_SESSION_HANDLE, _ input: Bytes?, _ inputLength: CK_ULONG, _ output: Bytes?,
        _ outputLength: Count?
    ) -> CK_RV {
        self.inSession(name, session, isSizeQuery: output == nil, dataLength: inputLength) {
            function($0)?($0.handle, input, inputLength, output, outputLength)
        }
    }

    /// `(session, mechanism, key)`, which begins an operation.
    ///
    /// - Parameter flag: the `CKF_` flag of what the mechanism is to be used for.
    func begin(
        _ name: FunctionName, _ flag: CK_FLAGS,
        _ function: (SessionUse) -> (
            @convention(c) (
                CK_SESSION_HANDLE, UnsafeMutablePointer<CK_MECHANISM>?, CK_OBJECT_HANDLE
            ) -> CK_RV
        )?,
        _ session: CK_SESSION_HANDLE, _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?, _ key: CK_OBJECT_HANDLE
    ) -> CK_RV {
        self.perform(name) { simulation in
            simulation.begin(name, in: session, mechanism, key: key, use: flag) { use, mechanism, key in
                function(use)?(use.handle, mechanism, key)
            }
        }
    }

    // MARK: Messages (PKCS #11 v3.0): all have a parameter beside their data.

    typealias Parameter = UnsafeMutableRawPointer

    /// `(session, parameter)`
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (@convention(c) (CK_SESSION_HANDLE, Parameter?, CK_ULONG) -> CK_RV)?,
        _ session: CK_SESSION_HANDLE, _ parameter: Parameter?, _ parameterLength: CK_ULONG
    ) -> CK_RV {
        self.inSession(name, session) { function($0)?($0.handle, parameter, parameterLength) }
    }

    /// `(session, parameter, associated data)`
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (
            @convention(c) (CK_SESSION_HANDLE, Parameter?, CK_ULONG, Bytes?, CK_ULONG)
                -> CK_RV
        )?,
        _ session: CK_SESSION_HANDLE, _ parameter: Parameter?, _ parameterLength: CK_ULONG, _ associated: Bytes?,
        _ associatedLength: CK_ULONG
    ) -> CK_RV {
        self.inSession(name, session) {
            function($0)?($0.handle, parameter, parameterLength, associated, associatedLength)
        }
    }

    /// `(session, parameter, associated data, input, output)`
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (
            @convention(c) (
                CK_SESSION_HANDLE, Parameter?, CK_ULONG, Bytes?, CK_ULONG, Bytes?, CK_ULONG, Bytes?, Count?
            ) -> CK_RV
        )?,
        _ session: CK_SESSION_HANDLE, _ parameter: Parameter?, _ parameterLength: CK_ULONG, _ associated: Bytes?,
        _ associatedLength: CK_ULONG, _ input: Bytes?, _ inputLength: CK_ULONG, _ output: Bytes?,
        _ outputLength: Count?
    ) -> CK_RV {
        self.inSession(name, session, isSizeQuery: output == nil, dataLength: inputLength) {
            function($0)?(
                $0.handle, parameter, parameterLength, associated, associatedLength, input, inputLength, output,
                outputLength)
        }
    }

    /// `(session, parameter, input, output, flags)`
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (
            @convention(c) (
                CK_SESSION_HANDLE, Parameter?, CK_ULONG, Bytes?, CK_ULONG, Bytes?, Count?, CK_FLAGS
            ) -> CK_RV
        )?,
        _ session: CK_SESSION_HANDLE, _ parameter: Parameter?, _ parameterLength: CK_ULONG, _ input: Bytes?,
        _ inputLength: CK_ULONG, _ output: Bytes?, _ outputLength: Count?, _ flags: CK_FLAGS
    ) -> CK_RV {
        self.inSession(name, session, isSizeQuery: output == nil, dataLength: inputLength) {
            function($0)?($0.handle, parameter, parameterLength, input, inputLength, output, outputLength, flags)
        }
    }

    /// `(session, parameter, data, signature)` to sign. A part of a message that is not the last has no signature, and
    /// no place for its length either.
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (
            @convention(c) (
                CK_SESSION_HANDLE, Parameter?, CK_ULONG, Bytes?, CK_ULONG, Bytes?, Count?
            ) -> CK_RV
        )?,
        _ session: CK_SESSION_HANDLE, _ parameter: Parameter?, _ parameterLength: CK_ULONG, _ data: Bytes?,
        _ dataLength: CK_ULONG, _ signature: Bytes?, _ signatureLength: Count?
    ) -> CK_RV {
        let isSizeQuery = signature == nil && signatureLength != nil
        return self.inSession(name, session, isSizeQuery: isSizeQuery, dataLength: dataLength) { use in
            use.giving(signature, signatureLength, of: .messageSign) {
                function(use)?(use.handle, parameter, parameterLength, data, dataLength, $0, $1)
            }
        }
    }

    /// `(session, parameter, data, signature)` to verify.
    func pass(
        _ name: FunctionName,
        _ function: (SessionUse) -> (
            @convention(c) (
                CK_SESSION_HANDLE, Parameter?, CK_ULONG, Bytes?, CK_ULONG, Bytes?, CK_ULONG
            ) -> CK_RV
        )?,
        _ session: CK_SESSION_HANDLE, _ parameter: Parameter?, _ parameterLength: CK_ULONG, _ data: Bytes?,
        _ dataLength: CK_ULONG, _ signature: Bytes?, _ signatureLength: CK_ULONG
    ) -> CK_RV {
        self.inSession(name, session, dataLength: dataLength) { use in
            use.taking(signature, signatureLength, of: .messageVerify) {
                function(use)?(use.handle, parameter, parameterLength, data, dataLength, $0, $1)
            }
        }
    }
}
