package import CertificateAuthority
package import Foundation
package import PKIMessages

extension Authority {
    package func revoke(
        serialNumber: String, reason: CRLReason, effective: Date? = nil, invalidity: Date? = nil, by who: Principal
    ) async throws {
        try await self.authority.revoke(
            serialNumber: serialNumber, reason: reason, effective: effective, invalidity: invalidity, by: who)
    }

    /// Signs CRLs and brings them to their places.
    package func publishCRLs(_ order: CRLOrder, by who: Principal) async throws -> [PublishedCRL] {
        // Before the number is raised, which writes.
        try who.mustBeAllowed(.publishCRL, to: "publish a CRL")
        try await self.instance.raiseCRLNumber()
        let records = try await self.authority.publishCRLs(order, by: who)
        var published: [PublishedCRL] = []
        for record in records { published.append(try await self.instance.distribute(record, by: who)) }
        try await self.instance.removeOldLists()
        return published
    }

    /// Signs the CRLs whose time has come, brings them to their places, and tries again where that failed before.
    ///
    /// - Parameter failed: told of every list that could not be signed.
    package func publishDueCRLs(
        failed: @escaping @Sendable (CRLScope, any Error) -> Void
    ) async throws -> [PublishedCRL] {
        try await self.instance.raiseCRLNumber()
        let records = try await self.authority.publishDueCRLs(failed: failed)
        var published: [PublishedCRL] = []
        for record in records { published.append(try await self.instance.distribute(record, by: .service)) }
        let fresh = Set(records.map { "\($0.number) \($0.kind)" })
        for record in try await self.unpublishedCRLs() where !fresh.contains("\(record.number) \(record.kind)") {
            published.append(try await self.instance.distribute(record, by: .service))
        }
        if !records.isEmpty { try await self.instance.removeOldLists() }
        return published
    }

    /// The newest list of each scope and kind, where it is not at every place yet.
    private func unpublishedCRLs() async throws -> [CRLRecord] {
        let keys = self.authority.signers.map(\.keyIndex)
        return try await self.instance.storage.read { db in
            try keys.flatMap { key in
                try db.crlShards(caKeyIndex: key).flatMap { shard in
                    try CRLKind.allCases.compactMap {
                        try db.latestCRL(CRLScope(caKeyIndex: key, shard: shard), $0)
                    }
                }
            }.filter { $0.publishedWhen == nil }
        }
    }
}

extension Instance {
    /// Makes numbers go on above those of the lists in `publish/`: the database may be an older one that was restored.
    func raiseCRLNumber() async throws {
        let directory = self.layout.publicationDirectory
        let stem = CAName.sanitized(self.configuration.name)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            // The name of another CA, whose lists lie here as well, may begin with this one's.
            .filter {
                $0.hasPrefix(stem)
                    && $0.dropFirst(stem.count).wholeMatch(of: /(?:\(\d+\))?(?:-shard\d+)?\+?\.crl/) != nil
            }
        let published = try names.compactMap { try PublishedCRLNumber.read("\(directory)/\($0)") }.max() ?? 0
        guard try await self.storage.read({ try $0.highestCRLNumber() }) < published else { return }
        let event = AuditEvent(
            .configurationChanged, when: self.surroundings.now(), who: Principal.service.name,
            details: ["Entry": "CRL number", "Value": "\(published)"])
        try await self.storage.write { db in
            try db.raiseCRLNumber(to: published)
            try db.append(event)
        }
    }

    /// Removes the files of large lists that newer ones have replaced, and of those that a crash kept from being
    /// stored. The newest list of each scope and kind stays.
    func removeOldLists() async throws {
        let directory = self.layout.largeListDirectory
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".crl") }
        guard !names.isEmpty else { return }
        let keys = Set(
            try await self.storage.read { try $0.ownCACertificates() }.map(\.keyIndex))
        let kept = try await self.storage.read { db in
            // A number above all that are stored belongs to a list that is being signed now.
            let newest = try db.crls(limit: 1).first?.number ?? 0
            let records = try keys.flatMap { key in
                try db.crlShards(caKeyIndex: key).flatMap { shard in
                    try CRLKind.allCases.compactMap {
                        try db.latestCRL(CRLScope(caKeyIndex: key, shard: shard), $0)
                    }
                }
            }
            return (newest: newest, names: Set(records.compactMap(\.fileName)))
        }
        for name in names where !kept.names.contains(name) {
            guard let number = UInt64(name.prefix { $0.isNumber }), number <= kept.newest else { continue }
            try FilePaths.remove(directory + "/" + name)
        }
    }
}
