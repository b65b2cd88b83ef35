import Diagnostics

/// The refusals of a single request. Values that a client sent stand in no message, because a password or a
/// private key could be among them.
extension EnrollmentWebError {
    static func invalidParameter(_ name: String, _ reason: String) -> EnrollmentWebError {
        EnrollmentWebError(
            .invalidParameter, operation: "read the parameter \(name)", reason: reason, hresult: .invalidParameter,
            advice: "Send the parameter as the enrolment pages do.")
    }

    static func malformedForm(_ reason: String) -> EnrollmentWebError {
        EnrollmentWebError(
            .invalidParameter, operation: "read the form", reason: reason, hresult: .invalidParameter,
            advice: "Encode the form as application/x-www-form-urlencoded, a plus sign as %2B.")
    }

    static func bodyTooLarge(limit: Int) -> EnrollmentWebError {
        EnrollmentWebError(
            .bodyTooLarge, operation: "read the form", reason: "it is larger than \(limit) bytes",
            hresult: .asn1Large, facts: [Fact("limit in bytes", String(limit))],
            advice: "Submit one request at a time, without certificates that the CA has already.")
    }

    static let unsupportedMediaType = EnrollmentWebError(
        .unsupportedMediaType, operation: "read the form",
        reason: "its content type is not application/x-www-form-urlencoded", hresult: .invalidData,
        advice: "Set Content-Type to application/x-www-form-urlencoded.")

    static let authenticationRequired = EnrollmentWebError(
        .authenticationRequired, operation: "serve the page", reason: "the caller is not authenticated",
        hresult: .logonFailure, advice: "Send a user name and password of this service (HTTP Basic).")

    static func tooManyAttempts(retryAfter: Int) -> EnrollmentWebError {
        EnrollmentWebError(
            .tooManyAttempts, operation: "check the password",
            reason: "too many wrong passwords were given for this user", hresult: .logonFailure,
            advice: "Wait as long as the answer says, then give the right password.", retryAfter: retryAfter)
    }

    static let busy = EnrollmentWebError(
        .busy, operation: "check the password", reason: "too many password checks are waiting", hresult: .timeout,
        advice: "Try again in a few seconds.", retryAfter: 5)

    static let crossSiteRequest = EnrollmentWebError(
        .crossSiteRequest, operation: "accept the form", reason: "it was sent by a page of another site",
        hresult: .accessDenied,
        advice: "Send the form from this service's own pages; a proxy in front must pass the Host header through.")

    static let methodNotAllowed = EnrollmentWebError(
        .methodNotAllowed, operation: "serve the page", reason: "it takes forms only",
        hresult: .invalidParameter, advice: "Use POST.")

    static let notPublished = EnrollmentWebError(
        .notPublished, operation: "serve the file", reason: "there is no such file", hresult: .fileNotFound,
        advice: "Check the address, or publish the CRL first.")
}
