import CertificateAuthority
import GRDB

extension DatabaseReading {
    func releaseApprovals(ofRequest requestID: Int64) throws -> [KeyReleaseApproval] {
        try self.all(
            "read the approvals of request \(requestID)",
            "SELECT * FROM key_release_approval WHERE request_id = ? ORDER BY manager", [requestID]
        ) { row in
            KeyReleaseApproval(
                requestID: try row.integer("request_id"), manager: try row.text("manager"),
                approvedWhen: try row.date("approved_when"))
        }
    }
}

extension SQLiteWriter {
    func upsert(_ approval: KeyReleaseApproval) throws {
        self.changes?.noteRequest(approval.requestID)
        try self.execute(
            "store an approval",
            "INSERT OR REPLACE INTO key_release_approval (request_id, manager, approved_when) VALUES (?, ?, ?)",
            [approval.requestID, approval.manager, approval.approvedWhen.stored])
    }

    func removeReleaseApprovals(ofRequest requestID: Int64) throws {
        self.changes?.noteRequest(requestID)
        try self.execute(
            "remove approvals", "DELETE FROM key_release_approval WHERE request_id = ?", [requestID])
    }
}
