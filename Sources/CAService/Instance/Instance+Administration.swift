package import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages

extension Instance {
    var publisher: Publisher {
        Publisher(directory: self.layout.publicationDirectory, authorityName: self.configuration.name)
    }

    /// Writes one audit event of its own.
    func record(
        _ event: AuditEventID, by who: Principal, details: [String: String]
    ) async throws {
        let entry = AuditEvent(event, when: self.surroundings.now(), who: who.name, details: details)
        try await self.storage.write { try $0.append(entry) }
    }

    /// Puts the certificate that the parent CA issued in place.
    ///
    /// - Parameter chain: DER, parent first, root last.
    package func installCertificate(
        _ certificate: [UInt8], chain: [[UInt8]], by who: Principal
    ) async throws -> InstalledCertificate {
        try who.mustBeAllowed(.manageCACertificates, to: "install a CA certificate")
        guard let pending = try await PendingAuthorityKey.load(from: self.storage) else {
            throw ServiceError.nothingToInstall(self.configuration.name)
        }
        guard let locator = pending.locator, pending.isRequested else {
            throw ServiceError.nothingToInstall(self.configuration.name)
        }
        let token = try await self.token(named: self.configuration.signingToken)
        let record = try await CAInstallation.install(
            certificate: certificate, chain: chain, key: token.keyPair(locator), position: pending.position,
            storage: self.storage, surroundings: self.surroundings
        ) { try PendingAuthorityKey.clear($0) }
        return try await self.publish(record, by: who)
    }
}

extension TokenKeyPair {
    /// What the audit trail says of a new key.
    func auditDetails(on token: any KeyToken) -> [String: String] {
        [
            "Key": self.locator.reference.uri, "Algorithm": "\(self.algorithm)", "Label": self.label,
            "Token": "\(token.identification)", "PublicKeySHA256": Hexadecimal.lower(self.locator.publicKeySHA256),
        ]
    }
}
