import CertificateAuthority
import Foundation
import GRDB

extension SQLiteWriter {
    func noteScope(of certificate: CertificateRecord) throws {
        try self.run(
            "note the shard of a certificate", .noteScope,
            [.integer(certificate.caKeyIndex), .integer(certificate.crlShard)])
    }

    /// Keeps the table of revocations what the certificates say, and numbers the change.
    func noteChange(_ revocation: CertificateRecord.Revocation?, serialNumber: String) throws {
        let operation = "note the revocation of certificate \(serialNumber)"
        guard let serial = CertificateRecord.serialNumberContent(serialNumber) else {
            throw StorageError.corrupt("serial_number", operation)
        }
        try self.execute(
            operation, "UPDATE crl_counter SET value = value + 1 WHERE name = 'revocation-change'", [])
        let change = try self.highestRevocationChange()
        guard let revocation else {
            try self.execute(
                operation,
                """
                UPDATE revocation SET reason = 8, invalidity_when = NULL, change_number = :change
                WHERE serial_number = :serial
                    AND ca_key_index = (SELECT ca_key_index FROM certificate WHERE serial_number = :text)
                    AND crl_shard = (SELECT crl_shard FROM certificate WHERE serial_number = :text)
                """, ["change": change, "serial": serial.stored, "text": serialNumber])
            return
        }
        try self.execute(
            operation,
            """
            INSERT OR REPLACE INTO revocation SELECT ca_key_index, crl_shard, :serial, :reason, :effective, :invalidity,
                not_after, :change FROM certificate WHERE serial_number = :text
            """,
            [
                "serial": serial.stored, "reason": revocation.reason, "effective": revocation.effectiveWhen.stored,
                "invalidity": revocation.invalidityWhen?.stored, "change": change, "text": serialNumber,
            ])
    }

    func reserveCRLNumber() throws -> UInt64 {
        try self.execute(
            "reserve a CRL number", "UPDATE crl_counter SET value = value + 1 WHERE name = 'crl-number'", [])
        return try self.highestCRLNumber()
    }

    func raiseCRLNumber(to number: UInt64) throws {
        let operation = "raise the CRL number"
        try self.execute(
            operation, "UPDATE crl_counter SET value = MAX(value, ?) WHERE name = 'crl-number'",
            [CRLRecord.stored(number, operation)])
    }

    func insert(_ crl: CRLRecord) throws {
        let operation = "store CRL \(crl.number)"
        try self.execute(operation, CRLRecord.insertion, crl.columns(operation: operation))
        try self.raiseCRLNumber(to: crl.number)
    }

    func setPublication(of crl: CRLRecord, publishedWhen: Date?, error: String?) throws {
        let operation = "note the publication of CRL \(crl.number)"
        let changed = try self.execute(
            operation,
            "UPDATE revocation_list SET published_when = ?, publication_error = ? WHERE number = ? AND kind = ?",
            [publishedWhen?.stored, error, CRLRecord.stored(crl.number, operation), crl.kind.rawValue])
        guard changed == 1 else { throw StorageError.notFound("CRL \(crl.number)", operation: operation) }
    }
}
