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

    package init(
        caller: Principal, template: CertificateTemplate, subjectPublicKeyInfo: SubjectPublicKeyInfo,
        carriesPrivateKey: Bool, now: Date, caNotAfter: Date
    ) {
        self.caller = caller
        self.template = template
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.carriesPrivateKey = carriesPrivateKey
        self.now = now
        self.caNotAfter = caNotAfter
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
