import CertificateAuthority
import GRDB

extension SignedAuditHead {
    init(_ row: RowReader) throws {
        self.init(
            sequence: try row.integer("sequence"), hash: try row.bytes("hash"), signedWhen: try row.date("signed_when"),
            number: try row.text("number"), statementDER: try row.bytes("statement_der"))
    }
}

extension DatabaseReading {
    func signedAuditHeads(after sequence: Int64, limit: Int) throws -> [SignedAuditHead] {
        try self.all(
            "list signed heads", "SELECT * FROM audit_head WHERE sequence > ? ORDER BY sequence LIMIT ?",
            [sequence, limit], SignedAuditHead.init)
    }

    func latestSignedAuditHead() throws -> SignedAuditHead? {
        try self.one(
            "read the newest signed head", "SELECT * FROM audit_head ORDER BY sequence DESC LIMIT 1", [],
            SignedAuditHead.init)
    }

    func intent(_ kind: SigningIntent.Kind, number: String) throws -> SigningIntent? {
        try self.one(
            "read an intent", SigningIntent.named, ["kind": kind.rawValue, "number": number],
            SigningIntent.init)
    }

    func intents(after intentID: Int64, limit: Int) throws -> [SigningIntent] {
        try self.all(
            "list intents", "SELECT * FROM intent WHERE intent_id > ? ORDER BY intent_id LIMIT ?", [intentID, limit],
            SigningIntent.init)
    }

    func lastIntentID() throws -> Int64 {
        try self.one("read the last intent", "SELECT MAX(intent_id) AS n FROM intent") {
            try $0.integerIfPresent("n")
        }?.flatMap { $0 } ?? 0
    }

    func certificates(afterRequest requestID: Int64, limit: Int) throws -> [CertificateRecord] {
        try self.all(
            "list certificates", "SELECT * FROM certificate WHERE request_id > ? ORDER BY request_id LIMIT ?",
            [requestID, limit], CertificateRecord.init)
    }
}

extension SQLiteWriter {
    func insert(_ head: SignedAuditHead) throws {
        try self.execute(
            "store a signed head",
            """
            INSERT INTO audit_head (sequence, hash, signed_when, number, statement_der)
            VALUES (?, ?, ?, ?, ?)
            """,
            [head.sequence, head.hash.stored, head.signedWhen.stored, head.number, head.statementDER.stored])
    }

    func append(_ event: AuditEvent) throws {
        let filter = try self.head.filter(reading: { AuditFilter(setting: try self.setting(AuditFilter.setting)) })
        guard filter.records(event.id) else { return }
        let entry = AuditChain.entry(for: event, after: try self.head.current(reading: self.auditTip))
        try self.run("append to the audit chain", .appendAudit, entry.values)
        self.head.move(to: entry)
    }
}
