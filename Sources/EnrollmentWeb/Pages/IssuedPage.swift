import CertificateAuthority

/// The certificate was issued.
///
/// Clients find the request's number in `certnew.cer?ReqID=N&` of a link or of the script, and the full response to
/// a CMC request in the script variable `sPKCS7`.
struct IssuedPage {
    let result: EnrollmentResult

    func body() -> HTML {
        let id = self.result.requestID
        return """
            <p>The certificate you requested was issued to you.</p>
            <p>Your Request Id is \(id).</p>
            <ul>
            <li>Base 64 encoded:
            <a href="certnew.cer?ReqID=\(id)&amp;Enc=b64">Download certificate</a>,
            <a href="certnew.p7b?ReqID=\(id)&amp;Enc=b64">Download certificate chain</a></li>
            <li>DER encoded:
            <a href="certnew.cer?ReqID=\(id)&amp;Enc=bin">Download certificate</a>,
            <a href="certnew.p7b?ReqID=\(id)&amp;Enc=bin">Download certificate chain</a></li>
            </ul>
            <script>
            function handleGetCert() { location="certnew.cer?ReqID=\(id)&Enc=b64"; }
            function handleGetChain() { location="certnew.p7b?ReqID=\(id)&Enc=b64"; }
            </script>
            \(FullResponseScript(result: self.result).body())
            """
    }
}
