package import CertificateAuthority
import Foundation

extension Instance {
    package func auditFilter(for who: Principal) async throws -> AuditFilter {
        try who.mustBeAllowed(.readConfiguration, to: "see the audit filter")
        return AuditFilter(setting: try await self.storage.read { try $0.setting(AuditFilter.setting) })
    }

    /// Chooses which categories of events are recorded. What chain, ledger and settling need is recorded always.
    package func setAuditFilter(_ filter: AuditFilter, by who: Principal) async throws {
        try who.mustBeAllowed(.changeAuditFilter, to: "change the audit filter")
        try await self.change(.auditFilterChanged, by: who, ["Filter": "\(filter.rawValue)"]) {
            try $0.setSetting(AuditFilter.setting, to: "\(filter.rawValue)")
        }
    }

    /// The audit trail in portions.
    package func auditEntries(after sequence: Int64, limit: Int, by who: Principal) async throws -> [AuditEntry] {
        try who.mustBeAllowed(.readAudit, to: "read the audit trail")
        return try await self.storage.read { try $0.auditEntries(after: sequence, limit: limit) }
    }
}

extension Authority {
    /// Signs the head of the audit chain with the CA key. Counts as a use of the key.
    ///
    /// - Returns: `nil` when nothing was recorded since the last one.
    package func signAuditHead(by who: Principal) async throws -> SignedAuditHead? {
        try who.mustBeAllowed(.signAuditHead, to: "sign the head of the audit chain")
        return try await self.authority.signAuditHead()
    }
}
