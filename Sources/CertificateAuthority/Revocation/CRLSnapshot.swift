import Foundation
import PKIMessages

/// Reads what a publication says of one scope, out of one consistent state of the database.
struct CRLSnapshot: Sendable {
    let number: UInt64
    let scope: CRLScope
    let kinds: Set<CRLKind>
    let signer: CASigner
    let configuration: CAConfiguration
    let now: Date

    /// - Returns: `nil` when another publication has reserved a higher number already: its snapshot may be older than
    ///   this one, and a higher number must never come with older entries. To be tried again with a new number.
    func drafts(_ db: any StorageReading) throws -> [CRLDraft]? {
        guard try db.highestCRLNumber() == self.number else { return nil }
        let previous = try db.latestCRL(self.scope, .base)
        let change = try db.highestRevocationChange()
        let hasOtherScopes = try db.crlShards(caKeyIndex: self.scope.caKeyIndex).count > 1
        // A certificate stays until it was on one list that was issued after its end (RFC 5280, section 3.3).
        let horizon = self.configuration.revocation.keepsExpired ? nil : previous?.issuedWhen
        var drafts: [CRLDraft] = []
        for kind in CRLKind.allCases where self.kinds.contains(kind) {
            var query = RevocationQuery(scope: self.scope, effectiveUntil: self.now, notExpiredAt: horizon)
            if kind == .delta {
                query.since =
                    previous.map { .init(changeNumber: $0.changeNumber, effective: $0.issuedWhen) }
                    // There was no complete list before the one that is made along with it: nothing has changed since.
                    ?? .init(changeNumber: change, effective: self.now)
            }
            let (count, entries) = try self.entries(query, db)
            drafts.append(
                try CRLDraft(
                    list: self.list(kind, baseNumber: previous?.number ?? self.number, hasOtherScopes), kind: kind,
                    scope: self.scope, issuedWhen: self.now, changeNumber: change, entryCount: count,
                    entries: entries))
        }
        return drafts
    }

    private func entries(_ query: RevocationQuery, _ db: any StorageReading) throws -> (Int, SpooledBytes) {
        let encoder = try RevokedEntryEncoder()
        var spool = ByteSpool(directory: self.configuration.revocation.largeListDirectory)
        var count = 0
        try db.forEachRevocation(query) { revoked in
            let entry = RevokedEntry(
                serialNumber: revoked.serialNumber, revocationDate: revoked.effectiveWhen,
                reason: CRLReason(rawValue: revoked.reason), invalidityDate: revoked.invalidityWhen)
            try spool.append { try encoder.append(entry, to: &$0) }
            count += 1
        }
        return (count, try spool.seal())
    }

    private func list(_ kind: CRLKind, baseNumber: UInt64, _ hasOtherScopes: Bool) throws -> TBSCertList {
        let schedule = CRLSchedule(self.configuration)
        let settings = self.configuration.revocation
        let issuer = self.signer.issuer
        let hasDeltas = settings.deltaPeriod != nil
        var list = TBSCertList(
            signatureAlgorithm: issuer.signatureAlgorithm, issuerDER: issuer.certificate.subjectDER,
            thisUpdate: schedule.thisUpdate(self.now), nextUpdate: schedule.nextUpdate(self.now, kind),
            number: self.number, authorityKeyIdentifier: issuer.keyIdentifier, caVersion: issuer.caVersion,
            nextPublish: schedule.nextPublish(self.now, kind))
        let addresses = CRLAddresses(self.configuration, issuer, shard: self.scope.shard)
        list.selfURLs = try addresses.expand(settings.selfURLs, isDelta: kind == .delta)
        if settings.namesDistributionPoint || settings.shards > 0 || hasOtherScopes {
            list.issuingDistributionPointURLs = try addresses.expand(self.configuration.crlURLs)
        }
        if settings.keepsExpired { list.expiredCertificatesSince = issuer.certificate.notBefore }
        switch kind {
        case .base:
            if hasDeltas {
                list.freshestURLs = try addresses.expand(settings.freshestURLs, isDelta: true)
                list.virtualBaseNumber = self.number
            }
        case .delta:
            list.baseNumber = baseNumber
            list.virtualBaseNumber = baseNumber
        }
        return list
    }
}

/// The addresses of one scope's lists.
struct CRLAddresses {
    private let configuration: CAConfiguration
    private let certificateIndex: Int
    private let keyIndex: Int
    private let shard: Int

    init(_ configuration: CAConfiguration, _ issuer: CertificateIssuer, shard: Int) {
        self.configuration = configuration
        self.certificateIndex = issuer.certificateIndex
        self.keyIndex = issuer.keyIndex
        self.shard = shard
    }

    func expand(_ patterns: [String], isDelta: Bool = false) throws -> [String] {
        try patterns.map {
            try PublicationURL.expand(
                $0,
                PublicationURL.Values(
                    self.configuration, certificateIndex: self.certificateIndex, keyIndex: self.keyIndex,
                    isDelta: isDelta, shard: self.shard))
        }
    }
}
