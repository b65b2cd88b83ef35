import Diagnostics

extension PKIMessageError.Code {
    /// The response does not confirm that the key was archived.
    package static let responseKeyHashNotFound = Self("responseKeyHashNotFound")
    /// The response confirms the archival of a key that was not sent.
    package static let responseKeyHashUnexpected = Self("responseKeyHashUnexpected")
    /// The response confirms the archival of another key than the one that was sent.
    package static let responseKeyHashMismatch = Self("responseKeyHashMismatch")
}

extension PKIMessageError {
    /// 0x80095002
    package static func responseKeyHashNotFound() -> PKIMessageError {
        PKIMessageError(
            code: .responseKeyHashNotFound, what: FullPKIResponse.what,
            reason: "it does not confirm that the private key was archived", hresult: .responseKAHashNotFound,
            advice: ["Do not use the certificate; ask the CA's administrator whether the key was archived."])
    }

    /// 0x80095003
    package static func responseKeyHashUnexpected() -> PKIMessageError {
        PKIMessageError(
            code: .responseKeyHashUnexpected, what: FullPKIResponse.what,
            reason: "it confirms the archival of a private key that was not sent", hresult: .responseUnexpectedKAHash,
            advice: ["Do not use the certificate; ask the CA's administrator which request it answers."])
    }

    /// 0x80095004
    package static func responseKeyHashMismatch() -> PKIMessageError {
        PKIMessageError(
            code: .responseKeyHashMismatch, what: FullPKIResponse.what,
            reason: "it confirms the archival of another private key than the one sent",
            hresult: .responseKAHashMismatch,
            advice: ["Do not use the certificate; ask the CA's administrator which request it answers."])
    }
}
