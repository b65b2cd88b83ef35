import KeyArchival
package import KeyProvider
import PKIMessages
package import SecretMemory

/// A recovery blob in an agent's hands: checked, shown, and only then opened with the card. Needs no instance.
package struct AgentRecovery: Sendable {
    private let recovery: KeyRecovery

    /// - Parameters:
    ///   - blob: DER.
    ///   - authorityPEM: the certificates of the CAs that may have signed it.
    /// - Throws: `ArchivalError` with code `untrustedBlob`, `PKIMessageError`.
    package init(blob: [UInt8], authorityPEM: [UInt8]) throws {
        let trusted = try CertificateBundle.parse(authorityPEM)
        guard !trusted.isEmpty else { throw ServiceError.noTrustedCertificate() }
        self.recovery = try KeyRecovery(blobDER: blob, trusting: trusted)
    }

    package var subject: String { "\(self.recovery.certificate.subject)" }
    package var serialNumber: String { self.recovery.certificate.serialHex }
    package var recipients: [String] { self.recovery.recipients.map(\.description) }

    /// Opens the blob and packs key, certificate and chain.
    ///
    /// - Returns: the PKCS #12.
    package func recover(with card: any KeyToken, password: SecretBytes) async throws -> SecretBytes {
        try await self.recovery.recover(with: [card]).pkcs12(friendlyName: self.subject, password: password)
    }
}
