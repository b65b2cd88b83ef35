import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages

/// A certificate that this CA has signed and that its database does not have: what is stored for it.
struct ImportedRow: Sendable {
    /// What another database knows of the certificate.
    struct Origin: Sendable {
        let record: CertificateRecord
        let request: RequestRecord?
        let key: ArchivedKeyRecord?
    }

    let certificate: CertificateFields
    /// The CA key that has signed it.
    let keyIndex: Int
    /// Of the request, when a new one is made.
    let message: String
    var origin: Origin?
    /// A pending request that the certificate answers.
    var answered: Int64?

    /// Certificate, request, the use of the CA key, and audit event 788, in the transaction of the caller. A revocation that a
    /// list has told before counts from the start.
    ///
    /// - Returns: the request's number; `nil` when the database has the certificate.
    func store(in db: any StorageWriting, at now: Date, by who: Principal) throws -> Int64? {
        let serial = self.certificate.serialHex
        guard try db.certificate(serialNumber: serial) == nil else { return nil }
        try db.raiseRequestID(to: SerialNumber.requestNumber(self.certificate.serialNumber))
        var row = try self.place(in: db, at: now)
        // That of a replaced instance follows by itself, with its event and its change number.
        try db.insert(self.record(of: row))
        if let listed = try db.listedRevocation(self.certificate.serialNumber, caKeyIndex: self.keyIndex) {
            try db.setRevocation(
                .init(
                    reason: listed.reason, revokedWhen: now, effectiveWhen: listed.effectiveWhen,
                    invalidityWhen: listed.invalidityWhen), serialNumber: serial)
            row.disposition = .revoked
            try db.update(row)
        }
        if var key = self.origin?.key {
            key.requestID = row.requestID
            try db.insert(key)
        }
        try db.append(
            AuditEvent(
                .certificateImported, when: now, who: who.name,
                details: [
                    "Certificate": Hexadecimal.lower(self.certificate.sha256Thumbprint),
                    "Request ID": "\(row.requestID)", "Serial Number": serial,
                ]))
        return row.requestID
    }

    /// The request that the certificate answers, with its use of the CA key closed: the pending one, that of the open intent
    /// when the backup was made in between, else a new one.
    private func place(in db: any StorageWriting, at now: Date) throws -> RequestRecord {
        let intent = try db.intent(.certificate, number: self.certificate.serialHex)
        if let intent, intent.outcome == .open { try db.closeIntent(intent.intentID, outcome: .completed, at: now) }
        if let requestID = self.answered ?? intent?.requestID, var row = try db.request(requestID),
            try db.certificate(forRequest: requestID) == nil
        {
            row.disposition = .issued
            row.statusCode = .ok
            row.dispositionMessage = "Issued"
            row.resolvedWhen = self.origin?.request?.resolvedWhen ?? now
            try db.update(row)
            if intent == nil { try self.insertIntent(forRequest: requestID, in: db, at: now) }
            return row
        }
        var row = self.newRow(at: now)
        row.requestID = try db.insert(row)
        if intent == nil { try self.insertIntent(forRequest: row.requestID, in: db, at: now) }
        return row
    }

    private func newRow(at now: Date) -> RequestRecord {
        let origin = self.origin?.request
        var row = RequestRecord(
            type: origin?.type ?? .internalRequest, rawRequest: origin?.rawRequest ?? [],
            attributes: origin?.attributes ?? "", requesterName: origin?.requesterName ?? Principal.service.name,
            templateName: origin?.templateName, subject: DistinguishedNameText.text(of: self.certificate.subject),
            submittedWhen: origin?.submittedWhen ?? self.certificate.notBefore,
            resolvedWhen: origin?.resolvedWhen ?? now, disposition: .issued, dispositionMessage: self.message,
            encryptedKeyHash: origin?.encryptedKeyHash, callerName: origin?.callerName)
        row.flags = origin?.flags ?? []
        return row
    }

    private func insertIntent(forRequest requestID: Int64, in db: any StorageWriting, at now: Date) throws {
        _ = try db.insert(
            SigningIntent(
                kind: .certificate, requestID: requestID, number: self.certificate.serialHex,
                toBeSignedSHA256: Digest.sha256.hash(self.certificate.tbsBytes), caKeyIndex: self.keyIndex,
                createdWhen: now, outcome: .completed, closedWhen: now))
    }

    private func record(of row: RequestRecord) throws -> CertificateRecord {
        var record = try CertificateRecord(
            imported: self.certificate, requestID: row.requestID, requesterName: row.requesterName,
            templateName: row.templateName, caKeyIndex: self.keyIndex)
        if let known = self.origin?.record {
            record.userPrincipalName = known.userPrincipalName ?? record.userPrincipalName
            record.crlShard = known.crlShard
        }
        return record
    }
}

extension SerialNumber {
    /// The number of the request in which a serial number of this CA ends; 0 for one of another form.
    static func requestNumber(_ content: [UInt8]) -> Int64 {
        content.count == 14 ? content.suffix(4).reduce(0) { $0 << 8 | Int64($1) } : 0
    }
}
