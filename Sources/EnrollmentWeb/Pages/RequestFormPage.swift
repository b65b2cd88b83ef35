/// The form that takes a PKCS#10 or CMC request: `certrqxt.asp`.
struct RequestFormPage {
    func body() -> HTML {
        """
        <form method="post" action="/certsrv/certfnsh.asp">
        <input type="hidden" name="Mode" value="newreq">
        <input type="hidden" name="TargetStoreFlags" value="0"><input type="hidden" name="SaveCert" value="yes">
        <p><label>Base-64-encoded certificate request (PKCS #10, or CMC):<br>
        <textarea name="CertRequest" rows="14" cols="66" required></textarea></label></p>
        <p><label>Attributes, one a line:<br>
        <textarea name="CertAttrib" rows="4" cols="66">CertificateTemplate:</textarea></label></p>
        <button>Submit</button>
        </form>
        """
    }
}
