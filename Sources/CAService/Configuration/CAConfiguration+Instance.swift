import CertificateAuthority
import Foundation

extension CAConfiguration {
    /// - Parameter largeListDirectory: where lists go that are too large for the database.
    init(instance: InstanceConfiguration, largeListDirectory: String) {
        let base = instance.web.publicationURL + "/ca/"
        let crl = instance.crl
        self.init(
            name: instance.name, crlPeriod: TimeInterval(crl.periodDays) * 86_400,
            clockSkew: TimeInterval(crl.clockSkewMinutes) * 60,
            maximumValidity: TimeInterval(instance.certificates.maximumValidityDays) * 86_400,
            crlURLs: crl.urls ?? [base + PublicationPattern.crl], caIssuerURLs: [base + PublicationPattern.certificate],
            userPrincipalNameSuffix: instance.certificates.userPrincipalNameSuffix,
            policy: instance.policy.settings, lint: instance.lint.settings)
        self.allowsNoSignature = instance.requests.noSignature
        func seconds(_ hours: Int?) -> TimeInterval? { hours.map { TimeInterval($0) * 3600 } }
        self.revocation.overlap = seconds(crl.overlapHours)
        self.revocation.deltaPeriod = seconds(crl.deltaPeriodHours)
        self.revocation.deltaOverlap = seconds(crl.deltaOverlapHours)
        self.revocation.freshestURLs = crl.freshestURLs ?? [base + PublicationPattern.crl]
        self.revocation.freshestInCertificates = crl.freshestInCertificates
        self.revocation.selfURLs = crl.selfURLs
        self.revocation.namesDistributionPoint = crl.issuingDistributionPoint
        self.revocation.shards = crl.shards
        self.revocation.keepsExpired = crl.keepExpired
        self.revocation.serverName = instance.serverName
        self.revocation.configurationDN = crl.configurationDN
        self.revocation.largeListDirectory = largeListDirectory
    }
}
