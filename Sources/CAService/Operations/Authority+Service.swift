import CertificateAuthority
import Foundation
import PKIMessages

extension Authority {
    /// Audit event 784.
    package func recordStart() async throws {
        try await self.instance.record(.serviceStarted, by: .service, details: self.identityDetails())
    }

    /// Audit events 779 and 785. The head that is signed next shows that whatever stands after it was not written by
    /// the service.
    package func recordStop() async throws {
        try await self.instance.record(.shutdownRequested, by: .service, details: [:])
        try await self.instance.record(.serviceStopped, by: .service, details: self.identityDetails())
    }

    /// Which database, certificate and key are in use. The database's hash is the head of its audit chain, which
    /// stands for everything recorded so far; the file's bytes change with every checkpoint.
    private func identityDetails() async throws -> [String: String] {
        let certificate = self.authority.caCertificate
        let (head, uses) = try await self.instance.storage.read { (try $0.auditHead(), try $0.lastIntentID()) }
        return [
            "Database Hash": Hexadecimal.lower(head?.hash ?? AuditChain.firstPreviousHash),
            "Key Usage Count": "\(uses)",
            "CA Certificate Hash": Hexadecimal.lower(Digest.sha256.hash(certificate.derBytes)),
            "CA Public Key Hash": Hexadecimal.lower(certificate.subjectPublicKeyInfo.sha256),
        ]
    }
}
