package import CertificateAuthority
package import Foundation
package import KeyArchival
import PKIMessages

extension Authority {
    /// Encrypts archived keys anew.
    ///
    /// - Throws: `RequestError` before any card is asked for, when `who` may not.
    package func keyRewrap(for who: Principal) throws -> KeyRewrap {
        try who.mustBeAllowed(.manageRecoveryAgents, to: "encrypt archived keys anew")
        return self.keyRewrap
    }

    var keyRewrap: KeyRewrap {
        KeyRewrap(
            storage: self.instance.storage, archiver: self.archiver, agents: self.agents,
            settings: ArchivalSettings(self.instance.configuration.archival),
            surroundings: self.instance.surroundings,
            authorityKeys: self.authority.signers.map(\.certificate.subjectPublicKeyInfo), exchange: self.exchange)
    }

    /// Proves that archived keys can be recovered.
    ///
    /// - Throws: as ``keyRewrap(for:)``.
    package func recoveryDrill(for who: Principal) throws -> RecoveryDrill {
        try who.mustBeAllowed(.retrieveArchivedKey, to: "prove that archived keys can be recovered")
        let authority = self.authority
        return RecoveryDrill(
            storage: self.instance.storage,
            blobs: RecoveryBlobBuilder(
                storage: self.instance.storage, authority: authority.caCertificate,
                signatureAlgorithm: authority.signatureAlgorithm, surroundings: self.instance.surroundings
            ) { try await authority.signedMessage($0, purpose: "recovery drill") },
            authorities: [authority.caCertificate],
            isHostPlaintextAllowed: self.instance.configuration.archival.hostPlaintextAllowed,
            surroundings: self.instance.surroundings)
    }
}

extension Instance {
    /// Stored reports, newest first.
    ///
    /// - Throws: `RequestError` without a role that may read the audit trail.
    package func recoveryDrills(for who: Principal) async throws -> [RecoveryDrillRecord] {
        try who.mustBeAllowed(.readAudit, to: "list recovery drills")
        return try await self.storage.read { try $0.recoveryDrills(limit: 100) }
    }

    /// When the last good drill was; `nil` when the next one is due.
    package func lastDrillStillGood(for who: Principal) async throws -> Date? {
        try who.mustBeAllowed(.retrieveArchivedKey, to: "look whether a recovery drill is due")
        let limit = self.surroundings.now().addingTimeInterval(
            -Double(self.configuration.archival.drillDays) * 86_400)
        let drills = try await self.storage.read { try $0.recoveryDrills(limit: 100) }
        return drills.first { $0.isGood && $0.endedWhen > limit }?.endedWhen
    }
}
