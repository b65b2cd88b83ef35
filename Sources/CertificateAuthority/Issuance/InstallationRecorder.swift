import Diagnostics
import Foundation
import KeyProvider
import PKIMessages

/// The signing of a root's own certificate with everything that must be stored around it.
struct InstallationRecorder {
    let storage: any CAStorage
    let surroundings: Surroundings
    let row: RequestRecord
    let position: CACertificatePosition
    /// What else is stored in the transaction of the outcome.
    let settling: @Sendable (any StorageWriting) throws -> Void

    /// Stores the intent, signs, verifies, and stores certificate, outcome and event.
    func sign(
        _ toBeSigned: [UInt8], serialNumber: [UInt8], with key: CASigningKey
    ) async throws -> CACertificateRecord {
        let intent = SigningIntent(
            kind: .certificate, requestID: self.row.requestID, number: SerialNumber.hex(serialNumber),
            toBeSignedSHA256: Digest.sha256.hash(toBeSigned), caKeyIndex: self.position.keyIndex,
            createdWhen: self.surroundings.now())
        let intentID = try await self.storage.write { try $0.insert(intent) }
        do {
            let signature = try await key.sign(toBeSigned)
            let fields = try CertificateFields(
                derEncoded: SignedObject.assemble(tbs: toBeSigned, algorithm: key.algorithm, signature: signature))
            let record = CACertificateRecord(
                use: .own, index: self.position.index, keyIndex: self.position.keyIndex,
                certificateDER: fields.derBytes,
                locator: key.locator)
            try await self.store(record, fields, intentID: intentID)
            return record
        } catch {
            throw RequestFailure(.signing, error, intentID: intentID)
        }
    }

    private func store(_ record: CACertificateRecord, _ fields: CertificateFields, intentID: Int64) async throws {
        let now = self.surroundings.now()
        let row = self.row.with(.caCertificate, .ok, "Issued").resolved(at: now)
        let event = AuditEvent(
            .certificateIssued, when: now, who: row.requesterName,
            details: row.auditDetails([
                "Serial Number": fields.serialHex, "SHA-256": Hexadecimal.lower(fields.sha256Thumbprint),
                "CA Certificate Index": "\(record.index)", "CA Key Index": "\(record.keyIndex)",
            ]))
        try await self.storage.write { [settling] db in
            try db.mustBeActive(row.requestID)
            try db.insert(record)
            try db.update(row)
            try db.closeIntent(intentID, outcome: .completed, at: now)
            try settling(db)
            try db.append(event)
        }
    }

    /// - Returns: the error to throw.
    func recordFailure(_ error: any Error) async throws -> any Error {
        let failure = (error as? RequestFailure) ?? RequestFailure(.issuance, error)
        let now = self.surroundings.now()
        let row = self.row.with(.error, failure.error.hresult, failure.dispositionMessage).resolved(at: now)
        let event = AuditEvent(
            failure.auditEventID, when: now, who: row.requesterName,
            details: row.auditDetails(failure.auditDetails))
        do {
            try await self.storage.write { db in
                try db.mustBeActive(row.requestID)
                try db.update(row)
                if let intentID = failure.intentID { try db.closeIntent(intentID, outcome: .failed, at: now) }
                try db.append(event)
            }
        } catch {
            // The database does not take it: the first error is the one to tell, and start-up settles the rest.
            return failure.error
        }
        return failure.error
    }
}
