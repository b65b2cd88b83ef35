import CertificateAuthority
package import KeyProvider
package import PKIMessages

extension UserKeyPair {
    /// The key of a certificate, for a token of its holder.
    ///
    /// - Parameter label: of key and certificate.
    /// - Throws: ``ArchivalError`` with code `unsupportedKey` (0x80090008) for a key that is neither RSA nor on P-256, P-384
    ///   or P-521.
    package init(_ certificate: CertificateFields, label: String) throws {
        let publicKey = certificate.subjectPublicKeyInfo
        guard let algorithm = KeyAlgorithm(publicKey) else { throw ArchivalError.notForToken() }
        self.init(
            subjectPublicKeyInfo: publicKey.derBytes, algorithm: algorithm, label: label,
            certificateDER: certificate.derBytes)
    }
}
