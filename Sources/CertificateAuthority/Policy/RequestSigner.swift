package import PKIMessages

/// Somebody who signed a request beside its own key: a registration authority, an enrolment agent.
///
/// Whoever makes one has verified the signature over the request, the certificate's chain and that it is not revoked;
/// policy looks only at what the certificate is for.
package struct RequestSigner: Sendable {
    /// The signer's certificate.
    package var certificate: CertificateFields
    /// In dots: the application policies (1.3.6.1.4.1.311.21.10) and, where there are none, the extended key usages.
    package var applicationPolicies: [String]
    /// In dots: the certificate policies (RFC 5280, section 4.2.1.4).
    package var issuancePolicies: [String]

    package init(certificate: CertificateFields, applicationPolicies: [String], issuancePolicies: [String]) {
        self.certificate = certificate
        self.applicationPolicies = applicationPolicies
        self.issuancePolicies = issuancePolicies
    }
}
