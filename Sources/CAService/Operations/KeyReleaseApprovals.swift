package import CertificateAuthority
import KeyArchival

/// How far the release of an archived key has come.
package struct ReleaseProgress: Sendable {
    package let key: CertificateRecord
    /// Whose approvals count now, for a taker who is none of them.
    package let approvers: [String]
    package let needed: Int
}

extension Instance {
    /// Records that a certificate manager consents to the release of the one archived key that fits.
    ///
    /// - Throws: `ArchivalError` with code `nothingFound` or `ambiguousName`; `RequestError`: `accessDenied`,
    ///   `restrictedManager` (0x80094009), `releaseNotControlled`.
    package func approveRelease(ofKeyMatching term: String, by who: Principal) async throws -> ReleaseProgress {
        // Before anything is said of what fits.
        try who.mustBeAllowed(.approveKeyRelease, to: "approve the release of an archived key")
        let key = try await KeyFinder(storage: self.storage).certificate(matching: term)
        let policy = KeyReleasePolicy(self)
        let now = self.surroundings.now()
        let approvers = try await self.storage.write { db in
            try db.approveRelease(
                ofRequest: key.requestID, requester: key.requesterName, template: key.templateName, by: who, policy,
                at: now)
            return try db.approvers(
                ofRequest: key.requestID, requester: key.requesterName, taker: "", policy, at: now
            ).counting
        }
        return ReleaseProgress(key: key, approvers: approvers, needed: policy.approvals)
    }
}
