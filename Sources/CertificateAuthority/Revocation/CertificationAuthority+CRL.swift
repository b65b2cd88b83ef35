import Foundation

/// Which lists to publish.
package struct CRLOrder: Sendable {
    /// `base` for complete lists, with delta lists where the CA has them; `delta` for delta lists alone.
    package var kind: CRLKind
    /// One of the CA's keys; `nil` for all that are still in use.
    package var keyIndex: Int?

    package init(_ kind: CRLKind, keyIndex: Int? = nil) {
        self.kind = kind
        self.keyIndex = keyIndex
    }
}

extension CertificationAuthority {
    /// Signs and stores a new base CRL of the newest key, with a delta CRL where the CA has them.
    ///
    /// - Throws: see ``publishCRLs(_:by:)``.
    package func publishCRL(by administrator: Principal) async throws -> CRLRecord {
        let order = CRLOrder(.base, keyIndex: self.currentSigner.keyIndex)
        let records = try await self.publishCRLs(order, by: administrator)
        guard let record = records.first(where: { $0.kind == .base && $0.shard == 0 }) else {
            throw IssuanceError.unexpected("a publication without a base CRL")
        }
        return record
    }

    /// Signs and stores new CRLs, one for each shard of the keys.
    ///
    /// A number is higher than that of every CRL that was ever begun, and of two lists the one with the higher number
    /// never has the older entries.
    ///
    /// - Throws: ``RequestError`` with code `accessDenied` without the role of administrator; what the token throws and
    ///   ``IssuanceError``, after they are recorded; ``StorageError``.
    package func publishCRLs(_ order: CRLOrder, by administrator: Principal) async throws -> [CRLRecord] {
        try administrator.mustBeAllowed(.publishCRL, to: "publish a CRL")
        if order.kind == .delta, self.configuration.revocation.deltaPeriod == nil {
            throw IssuanceError.invalidConfiguration("delta CRLs", "this CA has none: set their period first")
        }
        let signers = try self.signers(for: order)
        return try await self.publications.run { [self] in
            var records: [CRLRecord] = []
            for signer in signers {
                for shard in try await self.shards(of: signer) {
                    let scope = CRLScope(caKeyIndex: signer.keyIndex, shard: shard)
                    records += try await self.makeLists(scope, order.kind, signer, by: administrator)
                }
            }
            return records
        }
    }

    /// Publishes the CRLs of which there is none, or whose period has passed.
    ///
    /// One that fails does not keep the others back.
    ///
    /// - Parameter failed: told of every list that could not be made.
    package func publishDueCRLs(
        failed: @escaping @Sendable (CRLScope, any Error) -> Void = { _, _ in }
    ) async throws -> [CRLRecord] {
        let now = self.surroundings.now()
        var records: [CRLRecord] = []
        for signer in self.signers where signer.isCurrent(self) {
            for shard in try await self.shards(of: signer) {
                let scope = CRLScope(caKeyIndex: signer.keyIndex, shard: shard)
                do {
                    guard let kind = try await self.dueKind(scope, now) else { continue }
                    records += try await self.publications.run {
                        try await self.makeLists(scope, kind, signer, by: .service)
                    }
                } catch {
                    failed(scope, error)
                }
            }
        }
        return records
    }

    /// Publishes a CRL of the newest key when there is none or the period of the last one has passed.
    ///
    /// - Returns: `nil` when none was due.
    package func publishCRLIfDue() async throws -> CRLRecord? {
        let scope = CRLScope(caKeyIndex: self.currentSigner.keyIndex)
        guard let kind = try await self.dueKind(scope, self.surroundings.now()) else { return nil }
        return try await self.publications.run {
            try await self.makeLists(scope, kind, self.currentSigner, by: .service)
        }.first { $0.kind == kind }
    }

    private func dueKind(_ scope: CRLScope, _ now: Date) async throws -> CRLKind? {
        let latest = try await self.storage.read { db in
            try (base: db.latestCRL(scope, .base), delta: db.latestCRL(scope, .delta))
        }
        let schedule = CRLSchedule(self.configuration)
        guard let base = latest.base, !schedule.isDue(after: base, now: now) else { return .base }
        guard self.configuration.revocation.deltaPeriod != nil else { return nil }
        guard let delta = latest.delta, !schedule.isDue(after: delta, now: now) else { return .delta }
        return nil
    }

    private func signers(for order: CRLOrder) throws -> [CASigner] {
        guard let keyIndex = order.keyIndex else { return self.signers.filter { $0.isCurrent(self) } }
        guard let signer = self.signers.first(where: { $0.keyIndex == keyIndex }) else {
            throw IssuanceError.invalidConfiguration("the CA key \(keyIndex)", "this CA has no such key")
        }
        return [signer]
    }

    /// Those in which there are certificates, and those in which there will be.
    private func shards(of signer: CASigner) async throws -> [Int] {
        let keyIndex = signer.keyIndex
        let used = try await self.storage.read { try $0.crlShards(caKeyIndex: keyIndex) }
        let planned = keyIndex == self.currentSigner.keyIndex ? self.configuration.revocation.shards : 0
        return Set(used).union(0...planned).sorted()
    }
}

extension CASigner {
    /// The CRL of a key is published as long as a certificate of it can be verified.
    fileprivate func isCurrent(_ authority: CertificationAuthority) -> Bool {
        self.keyIndex == authority.currentSigner.keyIndex || self.notAfter > authority.surroundings.now()
    }
}
