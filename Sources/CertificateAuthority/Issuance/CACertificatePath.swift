import PKIMessages

extension CACertificateRecord {
    /// The newest own certificate and those above it, as far as they are known; the root last.
    ///
    /// Followed by name and signature, because every renewal can have another chain; of two certificates of the same
    /// key the one that is valid longer is taken. Validity periods are not looked at.
    ///
    /// - Returns: nothing when there is no own certificate.
    package static func newestPath(in records: [CACertificateRecord]) throws -> [CACertificateRecord] {
        guard let own = records.filter({ $0.use == .own }).max(by: { $0.index < $1.index }) else { return [] }
        let above = records.filter { $0.use == .chain }
        let pool = try above.map { try CertificateFields(derEncoded: $0.certificateDER) }
            .sorted { $0.notAfter > $1.notAfter }
        var path = [own]
        var current = try CertificateFields(derEncoded: own.certificateDER)
        while !current.isSelfSigned, path.count <= CACertificateChain.maximumLength,
            let issuer = pool.issuer(of: current),
            let record = above.first(where: { $0.certificateDER == issuer.derBytes })
        {
            path.append(record)
            current = issuer
        }
        return path
    }
}
