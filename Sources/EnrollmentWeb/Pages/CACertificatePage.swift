import CertificateAuthority
import Foundation

/// CA certificates, chains and CRLs: `certcarc.asp`. Clients read `var nRenewals=N;` to find the newest.
struct CACertificatePage {
    /// How often the CA certificate was renewed.
    let renewals: Int
    /// Names of the files of link certificates.
    var links: [String] = []

    func body() -> HTML {
        let rows = (0...self.renewals).reversed().map { renewal -> HTML in
            // The ampersands of the install link stand bare, as clients look for them.
            """
            <li>CA certificate \(renewal)\(renewal == self.renewals ? " (current)" : ""):
            <a href="certnew.cer?ReqID=CACert&Renewal=\(renewal)&Mode=inst&Enc=b64">install</a>,
            certificate <a href="certnew.cer?ReqID=CACert&amp;Renewal=\(renewal)&amp;Enc=b64">Base 64</a>
            or <a href="certnew.cer?ReqID=CACert&amp;Renewal=\(renewal)&amp;Enc=bin">DER</a>,
            chain <a href="certnew.p7b?ReqID=CACert&amp;Renewal=\(renewal)&amp;Enc=b64">Base 64</a>
            or <a href="certnew.p7b?ReqID=CACert&amp;Renewal=\(renewal)&amp;Enc=bin">DER</a>,
            <a href="certcrl.crl?Type=base&amp;Renewal=\(renewal)&amp;Enc=bin">latest base CRL</a></li>

            """
        }
        return """
            <ul>
            \(HTML.joined(rows))\(HTML.joined(self.links.map(CACertificatePage.row)))</ul>
            <script>
            var nRenewals=\(self.renewals);
            </script>
            """
    }

    private static func row(ofLink name: String) -> HTML {
        let path = "/ca/" + (name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
        return """
            <li>Link between two keys of this CA: <a href="\(path)">\(name)</a></li>

            """
    }
}
