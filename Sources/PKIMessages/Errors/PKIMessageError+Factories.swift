import Diagnostics

extension PKIMessageError {
    /// The bytes are not what the definition of `what` asks for.
    package static func malformed(_ what: String, _ why: String) -> PKIMessageError {
        PKIMessageError(
            code: .malformed, what: what, reason: "it is malformed: \(why)", hresult: .invalidData,
            advice: [Advice("Make the \(what) again and send it whole, as DER or as PEM.")])
    }

    /// - Parameter count: how many bytes follow.
    package static func trailingBytes(_ what: String, count: Int) -> PKIMessageError {
        PKIMessageError(
            code: .trailingBytes, what: what, reason: "bytes follow after its end", hresult: .asn1ExtraData,
            facts: [Fact("trailing bytes", "\(count)")],
            advice: [Advice("Remove what follows the \(what) and send it alone.")])
    }

    package static func tooLarge(_ what: String, bytes: Int, limit: Int) -> PKIMessageError {
        PKIMessageError(
            code: .tooLarge, what: what, reason: "it is longer than the limit", hresult: .asn1Large,
            facts: [Fact("bytes", "\(bytes)"), Fact("limit", "\(limit)")],
            advice: [Advice("Send a \(what) of at most \(limit) bytes.")])
    }

    package static func tooDeep(_ what: String, limit: Int) -> PKIMessageError {
        PKIMessageError(
            code: .tooDeep, what: what, reason: "its elements are nested too deeply", hresult: .asn1Corrupt,
            facts: [Fact("limit", "\(limit) levels")],
            advice: [Advice("Make the \(what) again with a program that follows the standard.")])
    }

    /// - Parameter algorithm: its name or object identifier.
    package static func unsupportedAlgorithm(
        _ what: String, _ algorithm: some CustomStringConvertible
    )
        -> PKIMessageError
    {
        PKIMessageError(
            code: .unsupportedAlgorithm, what: what, reason: "its algorithm is not supported",
            hresult: .unknownAlgorithm, facts: [Fact("algorithm", "\(algorithm)")],
            advice: ["Use RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519 with SHA-256 or longer."])
    }

    package static func badSignature(
        _ what: String, _ why: String = "its signature does not verify"
    )
        -> PKIMessageError
    {
        PKIMessageError(
            code: .badSignature, what: what, reason: why, hresult: .badSignature,
            advice: [Advice("Check that the \(what) was not changed after it was signed, and sign it again.")])
    }

    package static func hashMismatch(
        _ what: String, _ why: String = "its digest is not that of the bytes"
    )
        -> PKIMessageError
    {
        PKIMessageError(
            code: .hashMismatch, what: what, reason: why, hresult: .hashValue,
            advice: [Advice("Send the \(what) again; it was changed after its digest was taken.")])
    }

    package static func wrongContentType(
        _ what: String, expected: some CustomStringConvertible, found: some CustomStringConvertible
    ) -> PKIMessageError {
        PKIMessageError(
            code: .wrongContentType, what: what, reason: "its content type is not the one expected",
            hresult: .invalidMessageType, facts: [Fact("expected", "\(expected)"), Fact("found", "\(found)")],
            advice: [Advice("Send a message of content type \(expected).")])
    }

    package static func noSigner(_ what: String) -> PKIMessageError {
        PKIMessageError(
            code: .noSigner, what: what, reason: "it has no signer", hresult: .noSigner,
            advice: [Advice("Sign the \(what) with the key that it is about.")])
    }

    package static func keyMismatch(_ what: String, _ why: String) -> PKIMessageError {
        PKIMessageError(
            code: .keyMismatch, what: what, reason: why, hresult: .badKey,
            advice: ["Use the private key that belongs to the public key of the request."])
    }

    /// - Parameter recipients: how many recipients the message has, where it is known.
    package static func recipientNotFound(_ what: String, recipients: Int? = nil) -> PKIMessageError {
        PKIMessageError(
            code: .recipientNotFound, what: what, reason: "none of its recipients is known here",
            hresult: .recipientNotFound, facts: recipients.map { [Fact("recipients", "\($0)")] } ?? [],
            advice: ["Fetch the current exchange certificate and encrypt the key to it."])
    }

    /// A wrong key and changed bytes are told with the same words, so that the error is no oracle.
    package static func decryptionFailed(_ what: String) -> PKIMessageError {
        PKIMessageError(
            code: .decryptionFailed, what: what, reason: "it does not decrypt", hresult: .badData,
            advice: [Advice("Check that the key is the right one and that the \(what) is complete.")])
    }

    package static func signatureOnlyKey(_ what: String) -> PKIMessageError {
        PKIMessageError(
            code: .signatureOnlyKey, what: what, reason: "the key can sign but not transport keys",
            hresult: .badKeyState, advice: ["Archive encryption keys only; a signature key is never archived."])
    }

    package static func badArchivalAttribute(_ what: String, _ why: String) -> PKIMessageError {
        PKIMessageError(
            code: .badArchivalAttribute, what: what, reason: why, hresult: .badRequestKeyArchival,
            advice: [
                Advice(
                    "Put the encrypted key once into the unauthenticated attributes of the outermost signer, and "
                        + "its hash into the request.")
            ])
    }

    /// - Parameter reasons: libcrypto's own words, drained from its error queue; they never hold key bytes.
    package static func libcryptoFailed(_ what: String, reasons: [String]) -> PKIMessageError {
        PKIMessageError(
            code: .libcryptoFailed, what: what, reason: "libcrypto refused the operation",
            hresult: .providerFailure, facts: reasons.map { Fact("libcrypto", $0) },
            advice: ["Check the key and its parameters against what libcrypto says."])
    }

    /// `ERROR_INVALID_PASSWORD`.
    package static func wrongPassword(_ what: String) -> PKIMessageError {
        PKIMessageError(
            code: .wrongPassword, what: what, reason: "the password does not open it",
            hresult: .invalidPassword, advice: ["Give the password that the file was made with."])
    }

    /// A value that the caller gave and that cannot stand where it should.
    package static func invalidValue(_ what: String, _ why: String) -> PKIMessageError {
        PKIMessageError(
            code: .invalidValue, what: what, reason: why, hresult: .invalidParameter,
            advice: ["Correct the value and try again."])
    }
}
