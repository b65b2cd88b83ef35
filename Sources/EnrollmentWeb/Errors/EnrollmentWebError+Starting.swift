import Diagnostics

/// What keeps the server from starting, and what breaks a TLS handshake.
extension EnrollmentWebError {
    static func plainHTTPRefused(host: String) -> EnrollmentWebError {
        EnrollmentWebError(
            .plainHTTPRefused, operation: "listen on \(host)",
            reason: "without TLS every password would cross the network in clear text", hresult: .accessDenied,
            advice: "Configure a TLS certificate and key, listen on 127.0.0.1, or allow plain HTTP explicitly.")
    }

    static func invalidTLSCertificate(_ path: String, _ reason: String) -> EnrollmentWebError {
        EnrollmentWebError(
            .invalidTLSCertificate, operation: "use the TLS certificate \(path)", reason: reason,
            hresult: .invalidData, facts: [Fact("file", path)],
            advice: "Give a PEM file with the server's certificate first and the CA certificates after it.")
    }

    static func invalidTLSKey(_ name: String, _ reason: String, advice: Advice) -> EnrollmentWebError {
        EnrollmentWebError(
            .invalidTLSKey, operation: "use the TLS key \(name)", reason: reason, hresult: .badKey, advice: advice)
    }

    static func cannotListen(host: String, port: Int, _ reason: String) -> EnrollmentWebError {
        EnrollmentWebError(
            .cannotListen, operation: "listen on \(host) port \(port)", reason: reason, hresult: .genericFailure,
            advice: "Choose another port, or stop the program that has it.")
    }

    static let wrongHandshakeSignature = EnrollmentWebError(
        .wrongHandshakeSignature, operation: "sign the TLS handshake",
        reason: "the token's signature does not verify with the public key of the certificate",
        hresult: .badSignature, advice: "Take the token out of service and have it examined.")

    static let unsupportedHandshakeAlgorithm = EnrollmentWebError(
        .unsupportedHandshakeAlgorithm, operation: "sign the TLS handshake",
        reason: "the handshake chose an algorithm that the key does not have", hresult: .unknownAlgorithm,
        advice: "Use a client that speaks TLS 1.2 or 1.3 with ECDSA or RSA PKCS #1 signatures.")
}
