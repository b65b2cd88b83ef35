package import CertificateAuthority
package import Foundation
import PKIMessages

extension Instance {
    /// What ends within that time, most urgent first: certificates that this CA issued, its own and those above it, its
    /// CRLs, its exchange certificate, and those of its key recovery agents.
    ///
    /// Issued certificates are found by an index; nothing reads the whole table.
    ///
    /// - Parameter limit: of issued certificates.
    /// - Throws: `RequestError` with code `accessDenied`, `StorageError`.
    package func expiring(
        within period: TimeInterval, limit: Int = 1_000, for who: Principal
    ) async throws -> [ExpiryNotice] {
        try who.mustBeAllowed(.readRequests, to: "list what expires")
        let now = self.surroundings.now()
        let issued = try await self.storage.read {
            try $0.expiringCertificates(after: now, until: now.addingTimeInterval(period), limit: limit)
        }
        let notices = try await self.ownNotices(within: period, now: now) + issued.map(ExpiryNotice.init)
        return notices.sorted { ($1.level, $0.expires ?? .distantPast) < ($0.level, $1.expires ?? .distantPast) }
    }

    /// All but the certificates that were issued: a handful of rows.
    func ownNotices(within period: TimeInterval, now: Date) async throws -> [ExpiryNotice] {
        let stored = try await self.storage.read { db in
            (
                authority: try db.caCertificates(), exchange: try db.exchangeCertificates().first,
                agents: try db.keyRecoveryAgents()
            )
        }
        var notices = try self.authorityNotices(stored.authority, period, now)
        if let exchange = stored.exchange {
            let fields = try CertificateFields(derEncoded: exchange.certificateDER)
            // The service makes the next one a day before the end of the last.
            if exchange.notAfter < now.addingTimeInterval(min(period, 12 * 3600)) {
                notices.append(
                    ExpiryNotice(
                        .exchangeCertificate, fields, .warning,
                        exchange.notAfter <= now ? "it has expired" : "it was not replaced in time"))
            }
        }
        for agent in stored.agents {
            let fields = try CertificateFields(derEncoded: agent.certificateDER)
            if let notice = ExpiryNotice(.agentCertificate, fields, within: period, now: now) { notices.append(notice) }
        }
        return try await notices + self.crlNotices(stored.authority, now)
    }

    private func authorityNotices(
        _ records: [CACertificateRecord], _ period: TimeInterval, _ now: Date
    ) throws -> [ExpiryNotice] {
        guard let newest = records.filter({ $0.use == .own }).max(by: { $0.index < $1.index }) else { return [] }
        return try ([newest] + records.filter { $0.use == .chain }).compactMap { record in
            let fields = try CertificateFields(derEncoded: record.certificateDER)
            return ExpiryNotice(.caCertificate, fields, within: period, now: now)
        }
    }

    private func crlNotices(_ records: [CACertificateRecord], _ now: Date) async throws -> [ExpiryNotice] {
        let own = records.filter { $0.use == .own }
        let current = own.max { $0.index < $1.index }?.keyIndex
        let alive = try own.filter {
            try $0.keyIndex == current || CertificateFields(derEncoded: $0.certificateDER).notAfter > now
        }
        let kinds: [CRLKind] = self.configuration.crl.deltaPeriodHours == nil ? [.base] : [.base, .delta]
        return try await self.storage.read { db in
            try Set(alive.map(\.keyIndex)).sorted().flatMap { key in
                try db.crlShards(caKeyIndex: key).flatMap { shard in
                    try kinds.compactMap { kind in
                        let scope = CRLScope(caKeyIndex: key, shard: shard)
                        return ExpiryNotice(try db.latestCRL(scope, kind), scope, kind, now: now)
                    }
                }
            }
        }
    }
}

extension ExpiryNotice {
    init(_ certificate: ExpiringCertificate) {
        self.init(
            kind: .certificate, identifier: certificate.serialNumber, name: certificate.subject,
            expires: certificate.notAfter, level: .warning, reason: "it expires",
            requester: certificate.requesterName, template: certificate.templateName)
    }

    fileprivate init(_ kind: Kind, _ fields: CertificateFields, _ level: Level, _ reason: String) {
        self.init(
            kind: kind, identifier: fields.serialHex, name: DistinguishedNameText.text(of: fields.subject),
            expires: fields.notAfter, level: level, reason: reason)
    }

    /// `nil` for a certificate that is valid for longer. The last quarter of the period is critical.
    fileprivate init?(_ kind: Kind, _ fields: CertificateFields, within period: TimeInterval, now: Date) {
        let left = fields.notAfter.timeIntervalSince(now)
        guard left <= period else { return nil }
        let isCritical = left <= period / 4
        self.init(kind, fields, isCritical ? .critical : .warning, left <= 0 ? "it has expired" : "it expires")
    }

    /// `nil` for a list that is as new as it should be. It may be late by ten minutes.
    fileprivate init?(_ crl: CRLRecord?, _ scope: CRLScope, _ kind: CRLKind, now: Date) {
        let name = "key \(scope.caKeyIndex)" + (scope.shard == 0 ? "" : ", shard \(scope.shard)")
        let level: Level
        let reason: String
        switch crl {
        case nil: (level, reason) = (.critical, "there is none")
        case let crl? where crl.nextUpdate <= now: (level, reason) = (.critical, "it has expired")
        case let crl? where crl.nextPublish.map({ $0 + 600 < now }) ?? false:
            (level, reason) = (.warning, "the next one is late")
        case let crl? where crl.publishedWhen == nil && crl.publicationError != nil:
            (level, reason) = (.warning, "it is not at every place of publication")
        default: return nil
        }
        self.init(
            kind: kind == .base ? .crl : .deltaCRL, identifier: "\(crl?.number ?? 0)", name: name,
            expires: crl?.nextUpdate, level: level, reason: reason)
    }
}
