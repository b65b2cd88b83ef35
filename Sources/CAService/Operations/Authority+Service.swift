import CertificateAuthority
import PKIMessages

extension Authority {
    /// Audit event 784, with the hashes that tell which CA certificate and key are in use.
    package func recordStart() async throws {
        try await self.instance.record(.serviceStarted, by: .service, details: self.identityDetails)
    }

    /// Audit event 785.
    package func recordStop() async throws {
        try await self.instance.record(.serviceStopped, by: .service, details: self.identityDetails)
    }

    private var identityDetails: [String: String] {
        let certificate = self.authority.caCertificate
        return [
            "CACertificateSHA256": Hexadecimal.lower(Digest.sha256.hash(certificate.derBytes)),
            "PublicKeySHA256": Hexadecimal.lower(certificate.subjectPublicKeyInfo.sha256),
        ]
    }
}
