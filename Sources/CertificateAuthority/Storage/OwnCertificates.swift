package import KeyProvider
package import PKIMessages

/// A certificate of one of the CA's keys.
package struct OwnCertificate: Sendable {
    /// ``CACertificateRecord/keyIndex``
    package let keyIndex: Int
    package let fields: CertificateFields
}

extension Sequence<CACertificateRecord> {
    /// Of each key the newest certificate that is among these; the newest first.
    package var newestOfEachKey: [CACertificateRecord] {
        Dictionary(self.map { ($0.keyIndex, $0) }) { $0.index > $1.index ? $0 : $1 }.values
            .sorted { $0.index > $1.index }
    }

    /// The same of those whose key is on a token, with its place.
    package var newestOfEachPlacedKey: [(record: CACertificateRecord, locator: KeyLocator)] {
        self.filter { $0.locator != nil }.newestOfEachKey.compactMap { record in
            record.locator.map { (record, $0) }
        }
    }

    /// The own ones, the newest first; then those above the newest one, the root last.
    package var bundle: [CACertificateRecord] {
        self.filter { $0.use == .own }.sorted { $0.index > $1.index }
            + self.filter { $0.use == .chain }.sorted { $0.index < $1.index }
    }
}

extension StorageReading {
    /// The CA's own certificates: of every key, and of every renewal.
    package func ownCACertificates() throws -> [CACertificateRecord] {
        try self.caCertificates().filter { $0.use == .own }
    }

    /// Whether one of this CA's keys has signed the certificate.
    package func hasSigned(_ certificate: CertificateFields) throws -> Bool {
        try self.ownCACertificates().contains { own in
            try certificate.isSigned(by: CertificateFields(derEncoded: own.certificateDER).subjectPublicKeyInfo)
        }
    }
}

extension CAStorage {
    /// ``StorageReading/ownCACertificates()``, read.
    package func ownCertificates() async throws -> [OwnCertificate] {
        try await self.read { try $0.ownCACertificates() }.map {
            OwnCertificate(keyIndex: $0.keyIndex, fields: try CertificateFields(derEncoded: $0.certificateDER))
        }
    }
}
