package import CertificateAuthority

extension Instance {
    /// Issues and publishes the link certificates that are missing between the keys of a root: after a renewal with a new
    /// key, or when that renewal could not (RFC 4210, section 4.4). One that a crash kept from being published is, too.
    ///
    /// - Parameter published: takes each; none when none was missing.
    /// - Throws: what opening the CA and ``CertificationAuthority/issueMissingLinks(by:_:)`` throw. What was made before
    ///   stays, and is published.
    package func issueMissingLinks(
        by who: Principal, _ published: (InstalledCertificate) -> Void
    ) async throws {
        // Before anything is published.
        try who.mustBeAllowed(.manageCACertificates, to: "issue the link certificates of the CA's keys")
        let authority = try await self.authority().authority
        for (record, _) in try await self.linkCertificates() where try !self.publisher.hasPublished(record) {
            published(try await self.publish(record, by: who))
        }
        try await authority.issueMissingLinks(by: who) { published(try await self.publish($0, by: who)) }
    }

    /// How many links a root could have and does not.
    package func missingLinkCount() async throws -> Int {
        try await self.authority(for: .records, settling: false).authority.missingLinks().count
    }
}
