package import Foundation
package import PKIMessages

/// What policy is asked.
package struct PolicyQuestion: Sendable {
    /// Who asks, after authentication.
    package var caller: Principal
    @Boxed package var template: CertificateTemplate
    package var subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// The request carries a private key to be archived.
    package var carriesPrivateKey: Bool
    package var now: Date
    /// When the CA's own certificate ends.
    package var caNotAfter: Date
    /// Verified signatures over the request beside that of its own key; see ``RequestSigner``.
    package var signers: [RequestSigner]
    /// The certificate that a renewal replaces: its key has signed the request, and the CA has found it valid.
    package var renewedCertificate: CertificateFields?
    /// Whom the certificate is for when the caller asks on behalf of somebody else (the CMC `RequesterName`).
    package var onBehalfOf: Principal?
    /// The hash with which the request is signed; `nil` for algorithms that have none of their own.
    package var requestDigest: Digest?
    /// A program asks without its user's doing (client identifiers 2 and 6 of MS-WCCE 2.2.2.7.4).
    package var isAutoenrollment: Bool
    /// Identifiers of the templates that this one supersedes, in dots.
    package var supersededIdentifiers: Set<String>
    /// What the certificate would say if policy said nothing more. Costs a look into the directory, so it is made when
    /// somebody asks.
    package var proposal: @Sendable () async throws -> PolicyProposal?

    package init(
        caller: Principal, template: CertificateTemplate, subjectPublicKeyInfo: SubjectPublicKeyInfo,
        carriesPrivateKey: Bool, now: Date, caNotAfter: Date, signers: [RequestSigner] = [],
        renewedCertificate: CertificateFields? = nil, onBehalfOf: Principal? = nil, requestDigest: Digest? = nil,
        isAutoenrollment: Bool = false, supersededIdentifiers: Set<String> = [],
        proposal: @escaping @Sendable () async throws -> PolicyProposal? = { nil }
    ) {
        self.caller = caller
        self.template = template
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.carriesPrivateKey = carriesPrivateKey
        self.now = now
        self.caNotAfter = caNotAfter
        self.signers = signers
        self.renewedCertificate = renewedCertificate
        self.onBehalfOf = onBehalfOf
        self.requestDigest = requestDigest
        self.isAutoenrollment = isAutoenrollment
        self.supersededIdentifiers = supersededIdentifiers
        self.proposal = proposal
    }
}

/// What policy answers.
package enum PolicyVerdict: Sendable, Equatable {
    case issue
    /// Issue, with less than the template would give.
    case issueRestricted(CertificateRestrictions)
    /// A certificate manager decides.
    case pend
    case deny(PolicyError)
}

/// Decides about a request whose proof of possession is verified.
package protocol PolicyModule: Sendable {
    /// The template by which a request is decided.
    ///
    /// - Throws: ``PolicyError`` when there is none.
    func template(
        for identification: TemplateIdentification, in catalog: TemplateCatalog
    ) throws -> CertificateTemplate

    /// True when ``evaluate(_:)`` asks nobody outside of this process, so that a request need not be stored before it.
    var isImmediate: Bool { get }

    /// - Throws: a ``DiagnosableError`` when no verdict could be reached; the request then fails.
    func evaluate(_ question: PolicyQuestion) async throws -> PolicyVerdict

    /// The requested extensions that go into the certificate as they were asked for, in any order.
    func carriedExtensions(of requested: RequestedExtensions, template: CertificateTemplate) -> RequestedExtensions
}

extension PolicyModule {
    package var isImmediate: Bool { false }

    package func template(
        for identification: TemplateIdentification, in catalog: TemplateCatalog
    ) throws -> CertificateTemplate {
        try catalog.template(for: identification)
    }

    package func carriedExtensions(
        of requested: RequestedExtensions, template: CertificateTemplate
    ) -> RequestedExtensions {
        requested.filtered(by: CarriedExtensions.oids(for: template))
    }
}
