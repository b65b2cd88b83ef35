extension CAStorage {
    /// Every head of the audit chain that the CA key has signed, in their order.
    package func signedAuditHeads() async throws -> [SignedAuditHead] {
        var heads: [SignedAuditHead] = []
        while true {
            let after = heads.last?.sequence ?? 0
            let portion = try await self.read { try $0.signedAuditHeads(after: after, limit: 1_000) }
            guard !portion.isEmpty else { return heads }
            heads += portion
        }
    }

    /// Lends every entry of the audit chain, read in portions, so that the chain's length does not matter.
    package func forEachAuditEntry(_ body: (AuditEntry) throws -> Void) async throws {
        var last: Int64 = 0
        while true {
            let after = last
            let entries = try await self.read { try $0.auditEntries(after: after, limit: 1_000) }
            for entry in entries { try body(entry) }
            guard let newest = entries.last else { return }
            last = newest.sequence
        }
    }
}
