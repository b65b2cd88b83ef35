import Foundation
import KeyProvider
import PKIMessages

extension CertificationAuthority {
    /// Signs and stores a new base CRL.
    ///
    /// Its number is higher than that of every CRL that was ever begun: number, entries and intent are one
    /// transaction, so that of two publications at once the one with the higher number has the newer entries.
    ///
    /// - Throws: ``RequestError`` with code `accessDenied` without the role of administrator; what the token throws and
    ///   ``IssuanceError``, after they are recorded; ``StorageError``.
    package func publishCRL(by administrator: Principal) async throws -> CRLRecord {
        try administrator.mustBeAllowed(.publishCRL, to: "publish a CRL")
        return try await self.uninterrupted { try await self.makeCRL(by: administrator) }
    }

    /// Publishes a CRL when there is none or the period of the last one has passed.
    ///
    /// - Returns: `nil` when none was due.
    package func publishCRLIfDue() async throws -> CRLRecord? {
        let keyIndex = self.issuer.keyIndex
        let latest = try await self.storage.read { try $0.latestCRL(caKeyIndex: keyIndex) }
        if let latest, !self.crlSchedule.isDue(after: latest, now: self.surroundings.now()) { return nil }
        return try await self.publishCRL(by: .service)
    }

    private var crlSchedule: CRLSchedule {
        CRLSchedule(period: self.configuration.crlPeriod, clockSkew: self.configuration.clockSkew)
    }

    private struct BegunCRL: Sendable {
        var list: TBSCertList
        var toBeSigned: [UInt8]
        var intentID: Int64
    }

    private func makeCRL(by administrator: Principal) async throws -> CRLRecord {
        let begun = try await self.beginCRL(by: administrator)
        do {
            let signature = try await self.signingKey.sign(begun.toBeSigned)
            let crl = try SignedObject.assemble(
                tbs: begun.toBeSigned, algorithm: self.signatureAlgorithm, signature: signature)
            let record = CRLRecord(
                number: begun.list.number, caKeyIndex: self.issuer.keyIndex, thisUpdate: begun.list.thisUpdate,
                nextUpdate: begun.list.nextUpdate, crlDER: crl)
            try await self.storeCRL(record, begun, by: administrator)
            return record
        } catch {
            throw try await self.recordCRLFailure(error, begun, by: administrator)
        }
    }

    private func beginCRL(by administrator: Principal) async throws -> BegunCRL {
        let now = self.surroundings.now()
        let keyIndex = self.issuer.keyIndex
        return try await self.storage.write { [self] db in
            // Counts numbers whose signature failed, too: they are in no CRL and are never used again.
            let number = try db.highestCRLNumber() + 1
            let revoked = try db.revokedCertificates(caKeyIndex: keyIndex, notExpiredAt: now)
            let list = try self.list(number: number, revoked: revoked, now: now)
            let bytes = try list.derEncoded()
            let intentID = try db.insert(
                SigningIntent(
                    kind: .crl, requestID: nil, number: "\(number)", toBeSignedSHA256: Digest.sha256.hash(bytes),
                    caKeyIndex: keyIndex, createdWhen: now))
            try db.append(
                self.event(
                    .crlRequested, who: administrator.name,
                    ["Next Update": "\(list.nextUpdate)", "Publish Base": "Yes", "Publish Delta": "No"]))
            return BegunCRL(list: list, toBeSigned: bytes, intentID: intentID)
        }
    }

    private func list(number: UInt64, revoked: [RevokedCertificate], now: Date) throws -> TBSCertList {
        let entries = try revoked.filter { $0.revocation.effectiveWhen <= now }.map { certificate in
            // A revoked certificate is never left out in silence.
            guard let serial = SerialNumber.content(hex: certificate.serialNumber) else {
                throw IssuanceError.unexpected("the database has a serial number that is not hexadecimal")
            }
            return RevokedEntry(
                serialNumber: serial, revocationDate: certificate.revocation.effectiveWhen,
                reason: CRLReason(rawValue: certificate.revocation.reason))
        }
        return TBSCertList(
            signatureAlgorithm: self.signatureAlgorithm, issuerDER: self.caCertificate.subjectDER,
            thisUpdate: self.crlSchedule.thisUpdate(now), nextUpdate: self.crlSchedule.nextUpdate(now),
            entries: entries, number: number, authorityKeyIdentifier: self.issuer.keyIdentifier,
            caVersion: self.issuer.caVersion, nextPublish: self.crlSchedule.nextPublish(now))
    }

    private func storeCRL(_ record: CRLRecord, _ begun: BegunCRL, by administrator: Principal) async throws {
        try await self.storage.write { [self] db in
            try db.insert(record)
            try db.closeIntent(begun.intentID, outcome: .completed, at: self.surroundings.now())
            try db.append(
                self.event(
                    .crlPublished, who: administrator.name,
                    [
                        "Base CRL": "Yes", "CRL Number": "\(record.number)",
                        "Key Container": self.signingKey.locator.reference.uri,
                        "Next Publish": begun.list.nextPublish.map { "\($0)" } ?? "",
                        "Entries": "\(begun.list.entries.count)",
                    ]))
        }
    }

    /// - Returns: the error to throw.
    private func recordCRLFailure(
        _ error: any Error, _ begun: BegunCRL, by administrator: Principal
    ) async throws -> any Error {
        let failure = RequestFailure(.signing, error, intentID: begun.intentID)
        do {
            try await self.storage.write { [self] db in
                try db.closeIntent(begun.intentID, outcome: .failed, at: self.surroundings.now())
                try db.append(
                    self.event(
                        failure.auditEventID, who: administrator.name,
                        failure.auditDetails.merging(["CRL Number": "\(begun.list.number)"]) { own, _ in own }))
            }
        } catch {
            // The database does not take it: the first error is the one to tell, and start-up settles the intent.
            return failure.error
        }
        return failure.error
    }
}
