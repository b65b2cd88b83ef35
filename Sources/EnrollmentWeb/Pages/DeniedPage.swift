import CertificateAuthority

/// The request was denied, by the policy or by a certificate manager.
struct DeniedPage {
    static let heading = "Certificate Request Denied"

    let status: StatusText

    func body() -> HTML {
        """
        <p>Your certificate request was denied.</p>
        <p>Your Request Id is \(self.status.result.requestID).
        The disposition message is "\(self.status.dispositionMessage)"</p>
        <p>\(SuggestedCause.text(for: self.status.result.statusCode))</p>
        \(FullResponseScript(result: self.status.result).body())
        """
    }
}
