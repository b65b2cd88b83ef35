package import CertificateAuthority
package import KeyArchival
import KeyProvider
import PKIMessages

extension Authority {
    /// Imports keys into this CA, encrypted on their way to its exchange certificate.
    ///
    /// - Parameter isForced: takes certificates of other CAs, where the configuration allows it.
    /// - Throws: `RequestError` before any file is opened, when `who` may not.
    package func keyImporter(isForced: Bool, for who: Principal) throws -> KeyImporter {
        try who.mustBeAllowed(.importArchivedKey, to: "import keys")
        let archival = self.instance.configuration.archival
        return KeyImporter(
            storage: self.instance.storage, archiver: self.archiver,
            settings: .init(
                allowsForeign: archival.allowsForeignCertificates, isForced: isForced,
                isHostPlaintextAllowed: archival.hostPlaintextAllowed),
            surroundings: self.instance.surroundings, exchange: self.exchange)
    }

    /// The current exchange certificate, and what its token takes.
    @Sendable
    func exchange() async throws -> KeyImporter.Exchange {
        let token = self.instance.lazyToken(named: self.instance.configuration.exchangeToken)
        return KeyImporter.Exchange(
            certificate: try CertificateFields(derEncoded: await self.currentExchangeCertificate().certificateDER),
            oaepHashes: try await token.token().oaepHashes)
    }
}
