package import CertificateAuthority
import Hummingbird

/// The whole web front of one certification authority: what it needs, and the table of its routes.
package struct EnrollmentFront: Sendable {
    let enrollment: any CertificateEnrolling
    let publications: any PublicationReading
    let authenticator: any PrincipalAuthenticating
    let surroundings: Surroundings
    let maximumFormBytes: Int

    /// - Parameters:
    ///   - surroundings: the clock, for the age of CRLs.
    ///   - maximumFormBytes: the largest form that is read; a CMC request with an RSA-4096 key has about 12 KiB.
    package init(
        enrollment: any CertificateEnrolling, publications: any PublicationReading,
        authenticator: any PrincipalAuthenticating, surroundings: Surroundings, maximumFormBytes: Int = 256 << 10
    ) {
        self.enrollment = enrollment
        self.publications = publications
        self.authenticator = authenticator
        self.surroundings = surroundings
        self.maximumFormBytes = maximumFormBytes
    }

    /// Which routes a listener serves.
    package enum Scope: Sendable {
        /// Enrolment and publication.
        case everything
        /// Certificates, CRLs and the health check only: nothing that needs a password.
        case publicationOnly
    }

    /// Paths are compared without case, because clients of Active Server Pages write them in any.
    func responder(_ scope: Scope) -> RouterResponder<EnrollmentRequestContext> {
        let router = Router(
            context: EnrollmentRequestContext.self, options: [.caseInsensitive, .autoGenerateHeadEndpoints])
        router.add(middleware: RequestLog())
        router.add(middleware: ErrorResponses(caName: self.publications.caName))
        PublicationRoutes(publications: self.publications, surroundings: self.surroundings).add(to: router)
        guard case .everything = scope else { return router.buildResponder() }
        // Everything below /certsrv needs a user: the context of its handlers cannot be made without one.
        let certsrv = router.group("certsrv")
            .add(middleware: BasicAuthentication(authenticator: self.authenticator))
            .group(context: AuthenticatedContext.self)
            .add(middleware: RefusalRecording(enrollment: self.enrollment))
        SubmissionRoutes(front: self).add(to: certsrv)
        RetrievalRoutes(enrollment: self.enrollment, publications: self.publications).add(to: certsrv)
        StaticPages(publications: self.publications).add(to: certsrv)
        certsrv.get("**") { _, _ -> Response in throw EnrollmentWebError.notPublished }
        return router.buildResponder()
    }
}
