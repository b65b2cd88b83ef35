package import Diagnostics

/// What a requester hands in.
package struct EnrollmentSubmission: Sendable {
    /// PKCS #10 or CMC full request: DER, PEM with any label, or bare base64.
    package var requestBytes: [UInt8]
    /// `Name:Value` lines (MS-WCCE, `pwszAttributes`); see ``RequestAttributes``.
    package var attributes: String
    /// Who asks, after authentication.
    package var caller: Principal
    /// Answer with a CMC full response also when the request was a PKCS #10.
    package var wantsFullResponse: Bool

    package init(
        requestBytes: [UInt8], attributes: String = "", caller: Principal, wantsFullResponse: Bool = false
    ) {
        self.requestBytes = requestBytes
        self.attributes = attributes
        self.caller = caller
        self.wantsFullResponse = wantsFullResponse
    }
}

/// What an answer carries beside the certificate. A full response costs a signature by the CA's key.
package enum ResponseForm: Sendable {
    /// No full response.
    case certificateOnly
    /// A full response for a CMC request, none for a PKCS #10.
    case asRequested
    /// A full response in any case.
    case full
}

/// What became of a request.
package struct EnrollmentResult: Sendable {
    package var requestID: Int64
    package var disposition: Disposition
    /// `S_OK` for an issued certificate.
    package var statusCode: HRESULT
    /// The text that clients show: "Issued", "Taken Under Submission", "Denied by Policy Module  0x80094800, ...".
    package var dispositionMessage: String
    package var certificateDER: [UInt8]?
    /// CMC full response (RFC 5272, section 3.2), when one was asked for or the request was a CMC request.
    package var fullResponseDER: [UInt8]?
    /// What is behind a denial or an error that happened in this very call. Facts of tokens stand in it: for the
    /// machine's own log, not for a remote client.
    package var failure: (any DiagnosableError)?

    package init(
        requestID: Int64, disposition: Disposition, statusCode: HRESULT, dispositionMessage: String,
        certificateDER: [UInt8]? = nil, fullResponseDER: [UInt8]? = nil, failure: (any DiagnosableError)? = nil
    ) {
        self.requestID = requestID
        self.disposition = disposition
        self.statusCode = statusCode
        self.dispositionMessage = dispositionMessage
        self.certificateDER = certificateDER
        self.fullResponseDER = fullResponseDER
        self.failure = failure
    }
}
