import CertificateAuthority
import Hummingbird

/// The pages that a person walks through.
struct StaticPages: Sendable {
    let publications: any PublicationReading

    func add(to certsrv: RouterGroup<AuthenticatedContext>) {
        let layout = PageLayout(caName: self.publications.caName)
        let home: @Sendable (Request, AuthenticatedContext) async throws -> Response = { _, _ in
            .page(layout.page(heading: "Welcome", HomePage().body()))
        }
        certsrv.get("", use: home)
        certsrv.get("default.asp", use: home)
        certsrv.get("certrqxt.asp") { _, _ in
            Response.page(layout.page(heading: "Submit a Certificate Request", RequestFormPage().body()))
        }
        certsrv.get("certckpn.asp") { _, _ in
            Response.page(
                layout.page(heading: "View the Status of a Pending Certificate Request", CheckPendingPage().body()))
        }
        certsrv.get("certcarc.asp") { _, _ in
            let authority = CACertificateSet(try await self.publications.caCertificates())
            let stem = CAName.sanitized(self.publications.caName)
            return Response.page(
                layout.page(
                    heading: "Download a CA Certificate, Certificate Chain, or CRL",
                    CACertificatePage(
                        renewals: authority.renewals,
                        links: authority.links.compactMap(\.linkSuffix).map { "\(stem)\($0).crt" }
                    ).body()))
        }
    }
}
