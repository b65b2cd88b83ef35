import CertificateAuthority
import PKIMessages

/// The CA certificates of an instance, in the order in which clients name them.
struct CACertificateSet {
    /// Oldest first: the index of each is the number that clients send as `Renewal`.
    let own: [CACertificateRecord]
    /// Nearest first.
    private let above: [CACertificateRecord]
    /// Between the keys of a root; in the order of the renewals.
    let links: [CACertificateRecord]

    init(_ records: [CACertificateRecord]) {
        self.own = records.filter { $0.use == .own }.sorted { $0.index < $1.index }
        self.above = records.filter { $0.use == .chain }.sorted { $0.index < $1.index }
        self.links = records.filter(\.use.isLink).sorted { $0.keyIndex < $1.keyIndex }
    }

    /// How often the CA certificate was renewed.
    var renewals: Int { self.own.last?.index ?? 0 }

    /// One of the CA's own certificates.
    ///
    /// - Parameter renewal: its number; `nil` for the newest.
    /// - Throws: ``EnrollmentWebError`` with code `invalidParameter` when there is none with that number.
    func own(renewal: Int?) throws(EnrollmentWebError) -> CACertificateRecord {
        let index = renewal ?? self.renewals
        // A CA that was taken over from elsewhere may have only its newest certificate.
        guard let record = self.own.first(where: { $0.index == index }) else {
            throw .invalidParameter("Renewal", "the CA certificate was not renewed so often")
        }
        return record
    }

    /// What a file at a publication point holds.
    func published(_ part: PublishedFileName.Part) -> CACertificateRecord? {
        if let suffix = part.linkSuffix { return self.links.first { $0.linkSuffix == suffix } }
        return self.own.first { $0.index == part.index }
    }

    /// The certificate and those above it, up to the root or as far as they are known.
    func chain(from leafDER: [UInt8]) throws -> [[UInt8]] {
        // Newest first, so that of two certificates of the same key the one still valid is taken.
        let issuers = try (self.own.reversed() + self.above).map {
            try CertificateFields(derEncoded: $0.certificateDER)
        }
        var chain = [try CertificateFields(derEncoded: leafDER)]
        // No certificate stands in it twice, so that this ends also when two CAs have certified each other.
        while let last = chain.last, !last.isSelfSigned, let issuer = CACertificateSet.issuer(of: last, among: issuers),
            !chain.contains(where: { $0.derBytes == issuer.derBytes })
        {
            chain.append(issuer)
        }
        return chain.map(\.derBytes)
    }

    private static func issuer(
        of certificate: CertificateFields, among issuers: [CertificateFields]
    ) -> CertificateFields? {
        let named = issuers.filter { $0.subjectDER == certificate.issuerDER }
        guard let identifier = certificate.authorityKeyIdentifier else { return named.first }
        return named.first { $0.subjectKeyIdentifier == identifier } ?? named.first { $0.subjectKeyIdentifier == nil }
    }
}
