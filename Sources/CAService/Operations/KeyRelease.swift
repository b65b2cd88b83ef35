package import CertificateAuthority
import KeyProvider

extension Instance {
    /// Lets CA keys sign again that were stopped by a wrong signature.
    ///
    /// - Returns: the keys' URIs.
    /// - Throws: `RequestError` without the role of administrator; ``ServiceError`` when no key is stopped.
    package func releaseKeys(by who: Principal) async throws -> [String] {
        try who.mustBeAllowed(.releaseKey, to: "release a stopped key")
        let now = self.surroundings.now()
        let released = try await self.storage.write { db in
            var released: [String] = []
            for locator in try db.caCertificates().compactMap(\.locator)
            where try StoredKeyStops.release(locator, in: db) {
                released.append(locator.reference.uri)
                try db.append(
                    AuditEvent(.keyReleased, when: now, who: who.name, details: ["Key": locator.reference.uri]))
            }
            return released
        }
        guard !released.isEmpty else { throw ServiceError.noStoppedKey() }
        return released
    }
}
