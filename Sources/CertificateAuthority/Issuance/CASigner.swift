package import Foundation
package import PKIMessages

/// One of a CA's keys with its newest certificate: what signs, and what stands as issuer in what it signs.
///
/// A CA that was renewed with a new key has several. The newest one signs certificates; each keeps signing the CRL of
/// the certificates that it issued.
package struct CASigner: Sendable {
    package let signingKey: CASigningKey
    /// Until when a certificate of this key is valid; its CRL is published as long.
    package let notAfter: Date
    let issuer: CertificateIssuer

    /// - Parameter records: the CA's own certificates of one key; at least one.
    init(records: [CACertificateRecord], signingKey: CASigningKey, configuration: CAConfiguration) throws {
        let certificates = try records.sorted { $0.index < $1.index }.map { record in
            (record, try CertificateFields(derEncoded: record.certificateDER))
        }
        guard let (newest, certificate) = certificates.last else {
            throw IssuanceError.invalidCACertificate("there is no certificate of the key")
        }
        guard certificates.allSatisfy({ $0.1.subjectPublicKeyInfo == signingKey.subjectPublicKeyInfo }) else {
            throw IssuanceError.invalidCACertificate("its public key is not that of the signing key")
        }
        self.signingKey = signingKey
        self.notAfter = certificates.map(\.1.notAfter).max() ?? certificate.notAfter
        self.issuer = try CertificateIssuer(
            certificate: certificate, certificateIndex: newest.index, keyIndex: newest.keyIndex,
            signatureAlgorithm: signingKey.algorithm, configuration: configuration)
    }

    /// The newest certificate of the key.
    package var certificate: CertificateFields { self.issuer.certificate }
    /// Which renewal of the CA certificate that was, 0 for the first certificate.
    package var certificateIndex: Int { self.issuer.certificateIndex }
    /// Which key of the CA, 0 for the first.
    package var keyIndex: Int { self.issuer.keyIndex }
}

extension CASigner {
    /// One for each key of a CA, the one with the newest certificate last.
    ///
    /// - Parameters:
    ///   - certificates: the CA's own, and others that do not matter here.
    ///   - signingKeys: one for each key that has a certificate, in any order.
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate` when there is no certificate, or a key is missing.
    static func all(
        of certificates: [CACertificateRecord], signingKeys: [CASigningKey], configuration: CAConfiguration
    ) throws -> [CASigner] {
        let own = Dictionary(grouping: certificates.filter { $0.use == .own }, by: \.keyIndex)
        guard !own.isEmpty else {
            throw IssuanceError.invalidCACertificate("this instance has no certificate of its own yet")
        }
        return try own.values.map { records in
            let publicKey = try CertificateFields(derEncoded: records[0].certificateDER).subjectPublicKeyInfo
            guard let key = signingKeys.first(where: { $0.subjectPublicKeyInfo == publicKey }) else {
                throw IssuanceError.invalidCACertificate("its public key is not that of the signing key")
            }
            return try CASigner(records: records, signingKey: key, configuration: configuration)
        }.sorted { $0.certificateIndex < $1.certificateIndex }
    }
}
