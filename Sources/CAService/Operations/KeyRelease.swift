package import CertificateAuthority
import KeyProvider

extension Instance {
    /// Lets CA keys sign again that were stopped, by a wrong signature or at a restoration.
    ///
    /// - Returns: the keys' URIs.
    /// - Throws: `RequestError` without the role of administrator; ``ServiceError`` when no key is stopped.
    package func releaseKeys(by who: Principal) async throws -> [String] {
        try who.mustBeAllowed(.releaseKey, to: "release a stopped key")
        let now = self.surroundings.now()
        let released = try await self.storage.write { db in
            var released: [String] = []
            for locator in try db.caCertificates().compactMap(\.locator) {
                guard let stop = try StoredKeyStops.release(locator, in: db) else { continue }
                released.append(locator.reference.uri)
                var details = ["Key": locator.reference.uri]
                details["Found"] = stop.finding
                try db.append(AuditEvent(.keyReleased, when: now, who: who.name, details: details))
            }
            return released
        }
        guard !released.isEmpty else { throw ServiceError.noStoppedKey() }
        return released
    }
}
