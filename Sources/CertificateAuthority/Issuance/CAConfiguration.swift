package import Foundation

/// How a CA issues.
package struct CAConfiguration: Sendable {
    /// The CA's common name.
    package var name: String
    /// Time between base CRLs.
    package var crlPeriod: TimeInterval
    /// How far clocks may differ; certificates and CRLs begin that much before now.
    package var clockSkew: TimeInterval
    /// The longest validity of any certificate (registry `ValidityPeriod`).
    package var maximumValidity: TimeInterval
    /// Where the CRL is served; stands in issued certificates. May hold the tokens of ``PublicationURL``.
    package var crlURLs: [String]
    /// Where the CA certificate is served; stands in issued certificates. May hold the tokens of ``PublicationURL``.
    package var caIssuerURLs: [String]
    /// What follows the `@` of a user principal name; `nil` when none can be built.
    package var userPrincipalNameSuffix: String?
    package var policy: PolicySettings
    package var lint: LintSettings
    /// Takes CMC messages whose requester uses the no-signature mechanism (RFC 5272, section C.1): the PKCS #10 still
    /// proves possession of the key, and what the message adds to it is not bound to that key.
    package var allowsNoSignature = false

    package var revocation = RevocationSettings()

    package static let defaultCRLPeriod: TimeInterval = 7 * 86400
    package static let defaultClockSkew: TimeInterval = 600
    package static let defaultMaximumValidity: TimeInterval = 2 * 365 * 86400

    package init(
        name: String, crlPeriod: TimeInterval = CAConfiguration.defaultCRLPeriod,
        clockSkew: TimeInterval = CAConfiguration.defaultClockSkew,
        maximumValidity: TimeInterval = CAConfiguration.defaultMaximumValidity, crlURLs: [String] = [],
        caIssuerURLs: [String] = [], userPrincipalNameSuffix: String? = nil, policy: PolicySettings = PolicySettings(),
        lint: LintSettings = LintSettings()
    ) {
        self.name = name
        self.crlPeriod = crlPeriod
        self.clockSkew = clockSkew
        self.maximumValidity = maximumValidity
        self.crlURLs = crlURLs
        self.caIssuerURLs = caIssuerURLs
        self.userPrincipalNameSuffix = userPrincipalNameSuffix
        self.policy = policy
        self.lint = lint
    }
}
