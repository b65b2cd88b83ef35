import CertificateAuthority
import Foundation
import GRDB

extension ReplacementCase {
    init(_ row: RowReader) throws {
        self.init(
            caseID: try row.integer("case_id"), serialNumber: try row.text("serial_number"),
            requesterName: try row.text("requester_name"), templateName: try row.text("template_name"),
            subject: try row.text("subject"), reason: try row.int("reason"), openedWhen: try row.date("opened_when"),
            openedBy: try row.text("opened_by"), deadline: try row.date("deadline"),
            requestBytes: try row.bytes("request_bytes"), lastRequestID: try row.integer("last_request_id"),
            newRequestID: try row.integerIfPresent("new_request_id"))
    }
}

extension DatabaseReading {
    func replacementCase(_ caseID: Int64) throws -> ReplacementCase? {
        try self.one(
            "read case \(caseID)", "SELECT * FROM replacement_case WHERE case_id = ?", [caseID], ReplacementCase.init)
    }

    func replacementCases(limit: Int) throws -> [ReplacementCase] {
        try self.all(
            "list cases", "SELECT * FROM replacement_case ORDER BY case_id DESC LIMIT ?", [limit],
            ReplacementCase.init)
    }

    func request(ofCase caseID: Int64, after requestID: Int64) throws -> Int64? {
        try self.one(
            "find the request of case \(caseID)",
            "SELECT request_id FROM request WHERE request_id > ? AND attributes LIKE ? ORDER BY request_id DESC LIMIT 1",
            [requestID, "CertificateTemplate:%\n\(ReplacementCase.attributeName):\(caseID)"]
        ) { try $0.integer("request_id") }
    }

    func expiringCertificates(
        after: Date, until: Date, limit: Int
    ) throws -> [ExpiringCertificate] {
        try self.all(
            "list expiring certificates", ExpiringCertificate.selection, [after.stored, until.stored, limit],
            ExpiringCertificate.init)
    }

    func notice(_ subject: String, step: Int) throws -> Int64? {
        try self.one("read a notice", "SELECT value FROM notice WHERE subject = ? AND step = ?", [subject, step]) {
            try $0.integer("value")
        }
    }
}

extension ExpiringCertificate {
    /// One walk over a part of an index. Certificates of other CAs, which came with imported keys, are not ours to tell of.
    static let selection = """
        SELECT request_id, serial_number, subject, requester_name, template_name, not_after FROM certificate
        WHERE revocation_reason IS NULL AND ca_key_index >= 0 AND not_after > ? AND not_after <= ? ORDER BY not_after, request_id LIMIT ?
        """

    init(_ row: RowReader) throws {
        self.init(
            requestID: try row.integer("request_id"), serialNumber: try row.text("serial_number"),
            subject: try row.text("subject"), requesterName: try row.text("requester_name"),
            templateName: try row.textIfPresent("template_name"), notAfter: try row.date("not_after"))
    }
}

extension SQLiteWriter {
    func insert(_ replacement: ReplacementCase) throws -> Int64 {
        try self.execute(
            "store a case",
            """
            INSERT INTO replacement_case (serial_number, requester_name, template_name, subject, reason, opened_when,
                opened_by, deadline, request_bytes, last_request_id, new_request_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                replacement.serialNumber, replacement.requesterName, replacement.templateName, replacement.subject,
                replacement.reason, replacement.openedWhen.stored, replacement.openedBy, replacement.deadline.stored,
                replacement.requestBytes.stored, replacement.lastRequestID, replacement.newRequestID,
            ])
        return self.db.lastInsertedRowID
    }

    func update(_ replacement: ReplacementCase) throws {
        let operation = "update case \(replacement.caseID)"
        let changed = try self.execute(
            operation, "UPDATE replacement_case SET request_bytes = ?, new_request_id = ? WHERE case_id = ?",
            [replacement.requestBytes.stored, replacement.newRequestID, replacement.caseID])
        guard changed == 1 else { throw StorageError.notFound("case \(replacement.caseID)", operation: operation) }
    }

    func setNotice(_ subject: String, step: Int, to value: Int64) throws {
        try self.execute(
            "store a notice", "INSERT OR REPLACE INTO notice (subject, step, value) VALUES (?, ?, ?)",
            [subject, step, value])
    }
}
