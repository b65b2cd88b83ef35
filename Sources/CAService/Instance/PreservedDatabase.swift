import CertificateAuthority
import Diagnostics
import KeyProvider
import PKIMessages
import SQLiteStorage
import X509

extension Instance {
    /// The own certificate that a preserved database has, when it is the one that is taken over.
    ///
    /// - Returns: `nil` for a new database.
    /// - Throws: ``ServiceError`` with code `otherDatabase` for a database of another CA, key or certificate: nothing of it
    ///   is changed then.
    func preservedCertificate(
        _ adopted: AdoptedCertificate, key: TokenKeyPair
    ) async throws -> CACertificateRecord? {
        let own = try await self.storage.read { try $0.ownCACertificates() }
        guard let newest = own.max(by: { $0.index < $1.index }) else { return nil }
        guard newest.certificateDER == adopted.certificate,
            newest.locator?.publicKeySHA256 == key.locator.publicKeySHA256
        else { throw ServiceError.otherDatabase(self.databasePath) }
        return newest
    }

    /// Makes the database this instance's, whosever it was.
    ///
    /// - Throws: ``ServiceError`` with code `inUse` while a service works with it.
    func takeDatabaseOver() async throws {
        let lock = try DatabaseLock(self)
        defer { withExtendedLifetime(lock) {} }
        let identifier = try InstanceIdentifier.ofInstance(self.layout, self.surroundings)
        let event = AuditEvent(
            .configurationChanged, when: self.surroundings.now(), who: try Principal.founder(of: self.directory).name,
            details: ["Node": "instance", "Entry": "instance-id", "Value": identifier])
        try await self.storage.write { db in
            try db.setSetting(SQLiteStorage.instanceSetting, to: identifier)
            try db.append(event)
        }
    }
}

extension ServiceError {
    fileprivate static func otherDatabase(_ path: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "otherDatabase"),
            headline: "The database \(path) is not that of this key and certificate. It was left as it is.",
            hresult: .invalidCACertificate,
            advice: ["Name the key and the newest certificate of the CA whose database it is."])
    }
}

extension ProvenKey {
    /// - Throws: ``ServiceError`` with code `noTokenCertificate` when no CA's lies beside the key.
    func newestAuthorityCertificate() throws -> [UInt8] {
        let authorities = self.certificates.filter {
            if case .isCertificateAuthority? = $0.basicConstraints { true } else { false }
        }
        guard let newest = authorities.max(by: { $0.notBefore < $1.notBefore }) else {
            throw ServiceError(
                code: ServiceError.Code(rawValue: "noTokenCertificate"),
                headline: "The token has no certification authority's certificate for the key "
                    + "\(self.pair.locator.reference.uri).", hresult: .objectNotFound,
                advice: ["Name the certificate's file with --certificate."])
        }
        return newest.derBytes
    }
}
