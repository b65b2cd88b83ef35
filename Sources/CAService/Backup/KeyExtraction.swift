package import CertificateAuthority
import Diagnostics
import KeyProvider
import PKIMessages

extension Instance {
    /// CA keys that their tokens have as extractable.
    ///
    /// - Parameter keyIndex: one of the CA's keys; all of them when `nil`.
    /// - Returns: their references, the newest key first.
    package func extractableKeys(_ keyIndex: Int?, for who: Principal) async throws -> [String] {
        try who.mustBeAllowed(.manageCACertificates, to: "make a CA key non-extractable")
        return try await self.extractable(keyIndex).map(\.pair.locator.reference.uri)
    }

    private func extractable(_ keyIndex: Int?) async throws -> [PlacedKey] {
        try await self.placedKeys(keyIndex).filter { $0.pair.attributes.extractable != false }
    }

    /// Makes CA keys non-extractable, for ever: no copy and no PKCS #12 is made of them from then on. Audit event 10015 for each
    /// that was extractable, when its token says that it is no more.
    ///
    /// - Returns: the references of those, the newest key first.
    /// - Throws: `RequestError` without the role of CA administrator; ``ServiceError`` with code `keyNotNamed`; what the token
    ///   throws: keys before that one stay non-extractable.
    package func forbidExtraction(_ keyIndex: Int?, by who: Principal) async throws -> [String] {
        try who.mustBeAllowed(.manageCACertificates, to: "make a CA key non-extractable")
        var done: [String] = []
        for key in try await self.extractable(keyIndex) {
            let pair = try await key.token.forbidExtraction(of: key.pair.locator)
            try await self.record(.keyExtractionForbidden, by: who, details: pair.auditDetails(on: key.token))
            done.append(pair.locator.reference.uri)
        }
        return done
    }
}
