package import Foundation
package import PKIMessages

/// What policy is asked.
package struct PolicyQuestion: Sendable {
    package var caller: Principal
    package var template: CertificateTemplate
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

    package init(
        caller: Principal, template: CertificateTemplate, subjectPublicKeyInfo: SubjectPublicKeyInfo,
        carriesPrivateKey: Bool, now: Date, caNotAfter: Date, signers: [RequestSigner] = [],
        renewedCertificate: CertificateFields? = nil, onBehalfOf: Principal? = nil
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
    }
}

/// What policy answers.
package enum PolicyVerdict: Sendable, Equatable {
    case issue
    /// A certificate manager decides.
    case pend
    case deny(PolicyError)
}

/// Decides about a request whose proof of possession is verified and whose template is known.
package protocol PolicyModule: Sendable {
    /// - Throws: a ``DiagnosableError`` when no verdict could be reached; the request then fails.
    func evaluate(_ question: PolicyQuestion) throws -> PolicyVerdict
}
