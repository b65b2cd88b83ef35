import CertificateAuthority
import PKIMessages

/// The CA certificates of an instance, in the order in which clients name them.
struct CACertificateSet {
    /// Oldest first: the position is the number that clients send as `Renewal`.
    let own: [CACertificateRecord]
    private let issuers: [CertificateFields]

    init(_ records: [CACertificateRecord]) throws {
        self.own = records.filter { $0.use == .own }.sorted { $0.index < $1.index }
        let chain = records.filter { $0.use == .chain }.sorted { $0.index < $1.index }
        // Newest first, so that of two certificates of the same key the one still valid is taken.
        self.issuers = try (self.own.reversed() + chain).map { try CertificateFields(derEncoded: $0.certificateDER) }
    }

    /// How often the CA certificate was renewed.
    var renewals: Int { max(self.own.count - 1, 0) }

    /// One of the CA's own certificates.
    ///
    /// - Parameter renewal: its number; `nil` for the newest.
    /// - Throws: ``EnrollmentWebError`` with code `invalidParameter` when there is none with that number.
    func own(renewal: Int?) throws(EnrollmentWebError) -> CACertificateRecord {
        let position = renewal ?? self.renewals
        guard self.own.indices.contains(position) else {
            throw .invalidParameter("Renewal", "the CA certificate was not renewed so often")
        }
        return self.own[position]
    }

    /// The certificate and those above it, up to the root or as far as they are known.
    func chain(from leafDER: [UInt8]) throws -> [[UInt8]] {
        var chain = [try CertificateFields(derEncoded: leafDER)]
        // A chain has at most every issuer once, so that this ends also when two CAs have certified each other.
        while chain.count <= self.issuers.count, let last = chain.last, last.issuerDER != last.subjectDER,
            let issuer = self.issuer(of: last), !chain.contains(where: { $0.derBytes == issuer.derBytes })
        {
            chain.append(issuer)
        }
        return chain.map(\.derBytes)
    }

    private func issuer(of certificate: CertificateFields) -> CertificateFields? {
        let named = self.issuers.filter { $0.subjectDER == certificate.issuerDER }
        guard let identifier = certificate.authorityKeyIdentifier else { return named.first }
        return named.first { $0.subjectKeyIdentifier == identifier } ?? named.first { $0.subjectKeyIdentifier == nil }
    }
}
