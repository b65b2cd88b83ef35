/// The entry page: `/certsrv/`.
struct HomePage {
    func body() -> HTML {
        """
        <ul>
        <li><a href="/certsrv/certrqxt.asp">Request a certificate</a></li>
        <li><a href="/certsrv/certckpn.asp">View the status of a pending certificate request</a></li>
        <li><a href="/certsrv/certcarc.asp">Download a CA certificate, certificate chain, or CRL</a></li>
        </ul>
        """
    }
}
