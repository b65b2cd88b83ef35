internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11

extension KeyProviderError.Code {
    /// What should be a certificate is not one.
    public static let invalidCertificate = KeyProviderError.Code(rawValue: "invalidCertificate")
    /// What should be a SubjectPublicKeyInfo is not one that the token can use.
    public static let invalidPublicKey = KeyProviderError.Code(rawValue: "invalidPublicKey")
}

extension KeyProviderError {
    /// Any error of a token operation as one of this module; one that is already is left as it is.
    static func of(_ error: any Error, operation: String, profile: DeviceProfile? = nil) -> any Error {
        switch error {
        case let error as PKCS11Error:
            var known = self.token(error, operation: operation, profile: profile)
            known.failureClass = FailureClass.of(error.returnValue, function: error.function, profile: profile)
            return known
        case let error as TokenWaitError: return self.waited(error, operation: operation)
        case let error as ModuleLoadError: return self.moduleNotLoaded(error)
        case let fault as SigningFault: return fault.error(operation: operation)
        default: return error
        }
    }

    private static func waited(_ error: TokenWaitError, operation: String) -> KeyProviderError {
        KeyProviderError(
            code: [.closed, .forked, .outdated].contains(error.code) ? .tokenCallFailed : .timedOut,
            operation: operation,
            reason: error.headline.prefix(1).lowercased() + error.headline.dropFirst().dropLast(),
            hresult: error.hresult, failureClass: error.code == .busy ? .throttled : .ambiguous,
            facts: [Fact("token", error.token.description)], advice: error.advice)
    }

    static func notReinitialized(operation: String, reason: String) -> KeyProviderError {
        KeyProviderError(
            code: .tokenCallFailed, operation: operation, reason: reason, hresult: .operationAborted,
            failureClass: .ambiguous,
            advice: ["Restart this program when the other tokens of the module can do without it."])
    }

    /// A call that failed and has no better meaning by the operation and the profile. `CKR_DEVICE_MEMORY` of a call
    /// that writes nothing is no full token: some modules say it when the host has no memory.
    static func token(
        _ error: PKCS11Error, operation: String, profile: DeviceProfile? = nil
    ) -> KeyProviderError {
        let isMisleading = error.returnValue == .deviceMemory
        let failure = error.tokenFailure.map { profile?.explained($0) ?? $0 }
        return KeyProviderError(
            code: self.code(of: error.returnValue), operation: operation,
            reason: "the token answered \(failure?.answer ?? "\(error.returnValue)") to \(error.function)",
            hresult: isMisleading ? .unexpectedCardError : error.hresult, tokenFailure: failure,
            advice: isMisleading ? ["Read the logs of the module and of the device."] : error.advice)
    }

    private static func code(of value: ReturnValue) -> Code {
        switch value {
        case .pinIncorrect, .pinInvalid, .pinLenRange, .pinExpired: .wrongPIN
        case .pinLocked: .pinLocked
        case .deviceRemoved, .tokenNotPresent: .tokenRemoved
        case .mechanismInvalid, .mechanismParamInvalid, .functionNotSupported, .curveNotSupported, .keySizeRange,
            .domainParamsInvalid:
            .unsupported
        case .encryptedDataInvalid, .encryptedDataLenRange, .wrappedKeyInvalid, .wrappedKeyLenRange:
            .decryptionFailed
        default: .tokenCallFailed
        }
    }

    static func moduleNotLoaded(_ error: ModuleLoadError) -> KeyProviderError {
        KeyProviderError(
            code: .moduleNotLoaded, operation: "load the PKCS #11 module \(error.path)", reason: error.reason,
            hresult: error.hresult, tokenFailure: error.tokenFailure, advice: error.advice)
    }

    static func invalidReference(_ error: PKCS11URIError, operation: String) -> KeyProviderError {
        KeyProviderError(
            code: .invalidReference, operation: operation, reason: "the pkcs11: URI is not valid",
            hresult: error.hresult, facts: [Fact("URI", error.headline)], advice: error.advice)
    }

    /// A valid URI that does not name one key of this token.
    static func invalidReference(_ uri: PKCS11URI, operation: String, reason: String) -> KeyProviderError {
        KeyProviderError(
            code: .invalidReference, operation: operation, reason: reason, hresult: .invalidParameter,
            facts: [Fact("reference", uri.description)],
            advice: ["Name token, serial number and CKA_ID, as in pkcs11:token=LABEL;serial=SERIAL;id=%01."])
    }

    static func tokenNotFound(_ uri: PKCS11URI, present: [TokenIdentification]) -> KeyProviderError {
        KeyProviderError(
            code: .tokenNotFound, operation: "open the token \(uri)", reason: "no present token fits the reference",
            hresult: .noSmartCard, facts: self.facts(present),
            advice: [
                present.isEmpty
                    ? "Connect the token, or initialise one." : "Connect the token, or name one of those present."
            ])
    }

    static func tokenAmbiguous(_ uri: PKCS11URI, fitting: [TokenIdentification]) -> KeyProviderError {
        KeyProviderError(
            code: .tokenAmbiguous, operation: "open the token \(uri)",
            reason: "\(fitting.count) present tokens fit the reference", hresult: .ambiguousName,
            facts: self.facts(fitting), advice: ["Add the serial number of the token to the reference."])
    }

    private static func facts(_ tokens: [TokenIdentification]) -> [Fact] {
        tokens.isEmpty
            ? [Fact("tokens present", "none")] : tokens.map { Fact("token present", $0.description) }
    }

    static func keyNotFound(_ uri: PKCS11URI, operation: String, token: TokenIdentification) -> KeyProviderError {
        KeyProviderError(
            code: .keyNotFound, operation: operation, reason: "the token has no private key under the reference",
            hresult: .badKeyset, facts: [Fact("reference", uri.description), Fact("token", token.description)],
            advice: ["List the keys of the token, and name one of them or generate one."])
    }

    static func keyMismatch(_ uri: PKCS11URI, operation: String, token: TokenIdentification) -> KeyProviderError {
        KeyProviderError(
            code: .keyMismatch, operation: operation,
            reason: "the key under the reference has another public key than the one meant", hresult: .badKey,
            facts: [Fact("reference", uri.description), Fact("token", token.description)],
            advice: ["Find out who replaced the key on the token, and do not use it before that."])
    }

    static func unsupported(operation: String, reason: String, advice: Advice) -> KeyProviderError {
        KeyProviderError(
            code: .unsupported, operation: operation, reason: reason, hresult: .notSupported, advice: [advice])
    }

    static func notProven(operation: String, reason: String) -> KeyProviderError {
        KeyProviderError(
            code: .keyNotProven, operation: operation, reason: reason, hresult: .badKeyState,
            advice: ["Do not use this device for this key; compare its device profile with the vendor's documentation."]
        )
    }

    static func invalidCertificate(expected: String) -> KeyProviderError {
        KeyProviderError(
            code: .invalidCertificate, operation: "read the certificate",
            reason: "it is not a DER certificate: \(expected) was expected", hresult: .asn1Corrupt,
            advice: ["Give the certificate as DER (RFC 5280)."])
    }

    static func invalidPublicKey(operation: String, expected: String) -> KeyProviderError {
        KeyProviderError(
            code: .invalidPublicKey, operation: operation,
            reason: "the public key is not a DER SubjectPublicKeyInfo of an RSA key: \(expected) was expected",
            hresult: .asn1Corrupt, advice: ["Use a certificate with an RSA key for key transport."])
    }

    /// A result of the token, or of libcrypto beside it, that cannot be.
    static func malformedResult(operation: String, reason: String) -> KeyProviderError {
        KeyProviderError(
            code: .tokenCallFailed, operation: operation, reason: reason, hresult: .unexpectedCardError,
            advice: ["Take the device out of service until its vendor has explained the result."])
    }
}
