import CertificateAuthority

/// The request waits for a certificate manager.
struct PendingPage {
    static let heading = "Certificate Pending"

    let result: EnrollmentResult
    /// Whether the page answers a question about an earlier request.
    let stillPending: Bool

    func body() -> HTML {
        let id = self.result.requestID
        let state: HTML =
            self.stillPending
            ? "Your certificate request is still pending. You"
            : "Your certificate request has been received. However, you"
        return """
            <p>\(state) must wait for an administrator to issue the certificate you requested.</p>
            <p>Your Request Id is \(id).</p>
            <p>Please return to this web site in a day or two to retrieve your certificate.</p>
            <form method="post" action="/certsrv/certfnsh.asp">
            <input type="hidden" name="Mode" value="chkpnd"><input type="hidden" name="ReqID" value="\(id)">
            <button>Check again</button>
            </form>
            \(FullResponseScript(result: self.result).body())
            """
    }
}
