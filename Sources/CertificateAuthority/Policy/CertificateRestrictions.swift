package import Foundation

/// What a policy module takes away from a certificate. Nothing here can add anything: a name, usage or policy that the
/// template would not give is refused as a wrong answer.
package struct CertificateRestrictions: Sendable, Equatable {
    /// The certificate ends no later; `nil` leaves it.
    package var notAfter: Date?
    /// What remains of the extended key usages and application policies, in dots or by name; `nil` leaves them.
    package var extendedKeyUsages: [ExtendedKeyPurpose]?
    /// What remains of the key usage.
    package var keyUsage: [KeyUsageBit]?
    /// What remains of the certificate policies, in dots.
    package var issuancePolicies: [String]?
    /// What remains of the alternative names, in the form of ``PolicyProposal/alternativeNames``.
    package var alternativeNames: [String]?

    package init(
        notAfter: Date? = nil, extendedKeyUsages: [ExtendedKeyPurpose]? = nil, keyUsage: [KeyUsageBit]? = nil,
        issuancePolicies: [String]? = nil, alternativeNames: [String]? = nil
    ) {
        self.notAfter = notAfter
        self.extendedKeyUsages = extendedKeyUsages
        self.keyUsage = keyUsage
        self.issuancePolicies = issuancePolicies
        self.alternativeNames = alternativeNames
    }
}

/// What a certificate would say, in texts: for those who decide about it.
package struct PolicyProposal: Sendable, Equatable {
    /// RFC 4514.
    package var subject: String
    /// `dns:…`, `email:…`, `ip:…`, `uri:…`, `upn:…`, or `other:` and the DER in hexadecimal.
    package var alternativeNames: [String]
    package var notBefore: Date
    package var notAfter: Date

    package init(subject: String, alternativeNames: [String], notBefore: Date, notAfter: Date) {
        self.subject = subject
        self.alternativeNames = alternativeNames
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}
