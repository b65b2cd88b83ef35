import CertificateAuthority
import GRDB

extension DatabaseReading {
    func lintFindings(ofRequest requestID: Int64) throws -> [LintFinding] {
        try self.all(
            "read the findings of request \(requestID)",
            "SELECT finding, severity, source, message FROM lint_finding WHERE request_id = ? ORDER BY position",
            [requestID]
        ) { row in
            LintFinding(
                try row.text("finding"), try row.word("severity"), try row.word("source"), try row.text("message"))
        }
    }
}

extension SQLiteWriter {
    func insert(_ findings: [LintFinding], forRequest requestID: Int64) throws {
        let operation = "store the findings of request \(requestID)"
        self.changes?.noteRequest(requestID)
        try self.execute(operation, "DELETE FROM lint_finding WHERE request_id = ?", [requestID])
        for (position, finding) in findings.enumerated() {
            try self.execute(
                operation,
                "INSERT INTO lint_finding (request_id, position, finding, severity, source, message) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    requestID, position, finding.id, finding.severity.rawValue, finding.source.rawValue, finding.text,
                ])
        }
    }
}
