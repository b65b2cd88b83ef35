internal import Diagnostics

extension FailureMeaning {
    static func ofKeyUse(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .keyFunctionNotPermitted:
            .init(
                .badKeyState, "the key is not allowed to do this", .stop,
                "Use a key whose attributes permit the operation, or generate one for this role.")
        case .keyTypeInconsistent, .unwrappingKeyTypeInconsistent, .wrappingKeyTypeInconsistent:
            .init(.badKey, "the key has the wrong type", .stop, "Choose a key of the type that the mechanism needs.")
        case .keySizeRange, .unwrappingKeySizeRange, .wrappingKeySizeRange:
            .init(.badKey, "the device does not take a key of this size", .stop, "Choose a key size the device has.")
        case .keyNotWrappable, .keyUnextractable:
            .init(
                .badKeyState, "the key must not leave the token", .stop,
                "Leave the key where it is; make a new one if it has to be wrapped.")
        case .keyNotNeeded, .keyNeeded, .keyIndigestible:
            .init(.badKey, "the key does not fit the operation", .stop, "Call the operation with the key it needs.")
        case .publicKeyInvalid:
            .init(.badKey, "the public key is not valid", .stop, "Get the public key again from its owner.")
        case .domainParamsInvalid, .curveNotSupported:
            .init(.badAlgorithm, "the device does not have this curve", .stop, "Choose P-256, P-384 or an RSA key.")
        default: nil
        }
    }

    static func ofData(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .dataInvalid, .dataLenRange:
            .init(.badData, "the input is not valid for the mechanism", .stop, "Check the length of the input.")
        case .encryptedDataInvalid, .encryptedDataLenRange:
            .init(
                .badData, "the ciphertext does not open", .stop,
                "Check that the ciphertext was made for this key and with this mechanism.")
        case .wrappedKeyInvalid, .wrappedKeyLenRange:
            .init(
                .badData, "the wrapped key does not open", .stop,
                "Check that the key was wrapped for this key and with this mechanism.")
        case .signatureInvalid, .signatureLenRange:
            .init(.badSignature, "the signature is not valid", .stop, "Check data, key and mechanism of the signature.")
        case .bufferTooSmall:
            .init(.insufficientBuffer, "the result is longer than announced", .stop, "Report this as a defect.")
        case .informationSensitive:
            .init(.accessDenied, "the token does not reveal this", .stop, "Do without the value: it is sensitive.")
        default: nil
        }
    }

    static func ofTemplate(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .attributeReadOnly, .attributeTypeInvalid, .attributeValueInvalid, .templateIncomplete,
            .templateInconsistent:
            .init(
                .invalidParameter, "the device does not accept the attributes of the object", .stop,
                "Compare the device profile with the attributes that the vendor's documentation allows.")
        case .attributeSensitive:
            .init(.accessDenied, "the attribute is sensitive", .stop, "Do without the value: it stays on the token.")
        case .actionProhibited:
            .init(
                .accessDenied, "the object forbids this", .stop,
                "Check CKA_COPYABLE, CKA_MODIFIABLE and CKA_DESTROYABLE of the object.")
        default: nil
        }
    }

    static func ofMechanism(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .mechanismInvalid:
            .init(
                .badAlgorithm, "the device does not have this mechanism", .stop,
                "Choose an algorithm that the device profile lists.")
        case .mechanismParamInvalid:
            .init(
                .invalidParameter, "the device does not take these mechanism parameters", .stop,
                "Choose a hash and parameters that the device profile lists.")
        case .functionNotSupported, .functionNotParallel:
            .init(
                .notSupported, "the module does not have this function", .stop,
                "Use a device or a firmware that supports it.")
        case .randomSeedNotSupported, .randomNoRNG:
            .init(
                .notSupported, "the token has no such random generator", .stop, "Use a token that makes random bytes.")
        default: nil
        }
    }

    static func ofDevice(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .deviceMemory:
            .init(
                .writeTooMany, "the token has no room", .stop,
                "Remove what is not needed from the token, or use one with more memory.")
        case .deviceError:
            .init(
                .genericFailure, "the device reports a fault", .stop,
                "Read the log of the device, and restart it if it stays like this.")
        case .generalError, .functionFailed:
            .init(
                .providerFailure, "the module gave no reason", .stop,
                "Read the logs of the module and of the device; check that the token has room.")
        case .functionRejected, .functionCanceled, .cancel:
            .init(.cancelledByUser, "the operation was cancelled", .stop, "Start again when the device is attended.")
        case .fipsSelfTestFailed:
            .init(
                .genericFailure, "the self-test of the device failed", .stop,
                "Take the device out of service and call its vendor.")
        default: nil
        }
    }

    static func ofModule(_ value: ReturnValue) -> FailureMeaning? {
        switch value {
        case .ok:
            .init(.ok, "nothing failed", .stop, "Report this as a defect: a success was reported as an error.")
        case .cryptokiNotInitialized:
            .init(
                .unexpectedCardError, "the module is not initialised", .stop,
                "Restart the program; some devices drop all clients after a long pause.")
        case .cryptokiAlreadyInitialized:
            .init(.unexpectedCardError, "the module is initialised already", .stop, "Load each module once a process.")
        case .libraryLoadFailed:
            .init(
                .moduleNotFound, "the module could not load a library of its own", .stop,
                "Install the complete client software of the token's vendor.")
        case .hostMemory:
            .init(
                .providerFailure, "the module could not get memory, or a table of its own is full", .stop,
                "Free memory on this machine, and check how many objects the module allows.")
        case .needToCreateThreads, .cantLock, .mutexBad, .mutexNotLocked:
            .init(
                .notSupported, "the module cannot be used from several threads", .stop,
                "Use a module that supports CKF_OS_LOCKING_OK.")
        case .argumentsBad:
            .init(
                .invalidParameter, "the module does not take these arguments", .stop,
                "Check the initialisation string of the module, and the hashes that the device profile lists.")
        default: nil
        }
    }
}
