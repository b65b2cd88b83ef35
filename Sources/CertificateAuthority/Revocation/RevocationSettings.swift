package import Foundation

/// How a CA revokes and publishes, apart from the period of its base CRL.
///
/// Addresses may hold the tokens of ``PublicationURL``.
package struct RevocationSettings: Sendable, Equatable {
    /// How much longer than its period a base CRL is valid; computed by ``CRLSchedule`` when `nil`.
    package var overlap: TimeInterval?
    /// Time between delta CRLs; `nil` for none.
    package var deltaPeriod: TimeInterval?
    package var deltaOverlap: TimeInterval?
    /// Where delta CRLs are: the freshest CRL extension of base CRLs.
    package var freshestURLs: [String] = []
    /// Whether issued certificates have the freshest CRL extension, too.
    package var freshestInCertificates = true
    /// Where the CRL itself is published: its extension 1.3.6.1.4.1.311.21.14; empty for none.
    package var selfURLs: [String] = []
    /// Whether CRLs name their distribution point (issuingDistributionPoint); those with shards always do.
    package var namesDistributionPoint = false
    /// Over how many lists new certificates are spread; 0 for one list without shards.
    package var shards = 0
    /// Whether certificates stay on the CRL after they have expired.
    package var keepsExpired = false
    /// What `%1` stands for.
    package var serverName: String?
    /// What `%6` stands for.
    package var configurationDN: String?
    /// Where lists go that are too large for the database; without it they all go there.
    package var largeListDirectory: String?

    package init() {}
}
