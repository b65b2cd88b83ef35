import BackupSets
import CertificateAuthority
import Foundation
package import PKIMessages
import SecretMemory

/// Which CA may have signed a backup.
package enum BackupTrust: Sendable {
    /// Certificates of the CA.
    case certificates([CertificateFields])
    /// SHA-256 of a certificate that is in the backup: the CA's own, or one above it.
    case thumbprint([UInt8])
}

extension BackupSet {
    /// Checks the signature, and that length and hash of every file are those that were signed; with an opener also that
    /// everything decrypts to what was backed up. Reads everything from the medium.
    ///
    /// - Throws: `BackupError` with the name of the file.
    package func verify(
        trusting trust: BackupTrust, opener: BackupOpener?, progress: @escaping @Sendable (BackupProgress) -> Void
    ) async throws {
        try self.verifySignature(trust)
        guard let key = try await opener?.partKey(of: self) else {
            return try await BackgroundThread.run { try self.verifyFiles(progress: progress) }
        }
        try await BackgroundThread.run { try self.verifyContent(key: key, progress: progress) }
    }

    /// Reads everything from the medium once.
    func verifyContent(key: SecretBytes, progress: @escaping (BackupProgress) -> Void) throws {
        try self.verifyFiles(withPart: false, progress: progress)
        try self.readPart(key: key, progress: progress) { _ in { _ in } }
    }

    /// - Throws: `BackupError` with code `foreign`.
    func verifySignature(_ trust: BackupTrust) throws {
        let path = self.path(BackupLayout.manifest)
        switch trust {
        case .certificates(let certificates):
            try self.signedManifest.verify(with: certificates.map(\.subjectPublicKeyInfo), name: path)
        case .thumbprint(let thumbprint):
            try self.signedManifest.verify(with: [self.signer(under: thumbprint, path)], name: path)
        }
    }

    /// The key of the first certificate, whose issuers lead to the one that is trusted.
    private func signer(under thumbprint: [UInt8], _ path: String) throws -> SubjectPublicKeyInfo {
        let certificates = try self.signedManifest.certificates.map { try CertificateFields(derEncoded: $0) }
        guard let signer = certificates.first else { throw BackupError.foreign(path, "it has no certificate") }
        var certificate = signer
        for next in certificates.dropFirst() + [signer] {
            if certificate.sha256Thumbprint == thumbprint { return signer.subjectPublicKeyInfo }
            guard certificate.isSigned(by: next.subjectPublicKeyInfo) else { break }
            certificate = next
        }
        throw BackupError.foreign(path, "none of its certificates has the SHA-256 that was given")
    }
}

extension Instance {
    /// Own certificates of every key, with which a backup of this CA is checked.
    package func backupTrust() async throws -> BackupTrust {
        .certificates(try await self.storage.ownCertificates().map(\.fields))
    }
}
