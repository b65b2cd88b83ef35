import CertificateAuthority
import Foundation
import GRDB

/// Answers ``StorageReading`` from one connection; shared by the read-only and the writing side.
protocol DatabaseReading: StorageReading {
    var db: Database { get }
}

struct SQLiteReader: DatabaseReading {
    let db: Database
}

extension DatabaseReading {
    func one<R>(
        _ operation: String, _ sql: String, _ arguments: StatementArguments = [], _ make: (RowReader) throws -> R
    ) throws -> R? {
        try StorageError.mapping(operation) {
            try Row.fetchOne(self.db.cachedStatement(sql: sql), arguments: arguments)
                .map { try make(RowReader(row: $0, operation: operation)) }
        }
    }

    func all<R>(
        _ operation: String, _ sql: String, _ arguments: StatementArguments = [], _ make: (RowReader) throws -> R
    ) throws -> [R] {
        try StorageError.mapping(operation) {
            let rows = try Row.fetchCursor(self.db.cachedStatement(sql: sql), arguments: arguments)
            var records: [R] = []
            while let row = try rows.next() { records.append(try make(RowReader(row: row, operation: operation))) }
            return records
        }
    }
}

// MARK: Requests, certificates, intents

extension DatabaseReading {
    func request(_ requestID: Int64) throws -> RequestRecord? {
        try self.one(
            "read request \(requestID)", "SELECT * FROM request WHERE request_id = ?", [requestID],
            RequestRecord.init)
    }

    func disposition(ofRequest requestID: Int64) throws -> Disposition? {
        try self.one(
            "read request \(requestID)", "SELECT disposition FROM request WHERE request_id = ?", [requestID]
        ) { try $0.code("disposition") }
    }

    func requests(with disposition: Disposition?, limit: Int) throws -> [RequestRecord] {
        guard let disposition else {
            return try self.all(
                "list requests", "SELECT * FROM request ORDER BY request_id DESC LIMIT ?", [limit],
                RequestRecord.init)
        }
        return try self.all(
            "list requests", "SELECT * FROM request WHERE disposition = ? ORDER BY request_id DESC LIMIT ?",
            [disposition.rawValue, limit], RequestRecord.init)
    }

    func certificate(forRequest requestID: Int64) throws -> CertificateRecord? {
        try self.one(
            "read the certificate of request \(requestID)", "SELECT * FROM certificate WHERE request_id = ?",
            [requestID], CertificateRecord.init)
    }

    func certificate(serialNumber: String) throws -> CertificateRecord? {
        try self.one(
            "read certificate \(serialNumber)", "SELECT * FROM certificate WHERE serial_number = ?", [serialNumber],
            CertificateRecord.init)
    }

    /// Names are compared without regard to the case of ASCII letters, as directory names are; hexadecimal terms
    /// may have blanks, colons or hyphens in them. Newest first.
    func certificates(matching term: String, archivedOnly: Bool) throws -> [CertificateRecord] {
        let term = SearchTerm(term)
        var arguments: StatementArguments = ["text": term.text, "serial": term.serial]
        if let bytes = term.bytes { _ = arguments.append(contentsOf: ["bytes": bytes.stored]) }
        var sql = term.bytes == nil ? CertificateRecord.searchByText : CertificateRecord.search
        if archivedOnly { sql += CertificateRecord.onlyArchived }
        return try self.all(
            "find certificates", sql + " ORDER BY request_id DESC", arguments, CertificateRecord.init)
    }

    func openIntents() throws -> [SigningIntent] {
        try self.all(
            "list open intents", SigningIntent.open, [], SigningIntent.init)
    }
}

// MARK: The authority's own certificates and CRLs

extension DatabaseReading {
    /// This CA's own certificates, newest first, then the chain upwards, then the links between its keys.
    func caCertificates() throws -> [CACertificateRecord] {
        try self.all("list CA certificates", CACertificateRecord.selection, [], CACertificateRecord.init)
    }

    func exchangeCertificates() throws -> [ExchangeCertificateRecord] {
        try self.all(
            "list exchange certificates", "SELECT * FROM exchange_certificate ORDER BY request_id DESC", [],
            ExchangeCertificateRecord.init)
    }
}

// MARK: Archival, users, settings, audit

extension DatabaseReading {
    func keyRecoveryAgents() throws -> [KRARecord] {
        try self.all(
            "list key recovery agents",
            "SELECT * FROM key_recovery_agent WHERE removed_when IS NULL ORDER BY agent_id", [], KRARecord.init)
    }

    func keyRecoveryAgent(sha1Thumbprint: [UInt8]) throws -> KRARecord? {
        try self.one(
            "read a key recovery agent", "SELECT * FROM key_recovery_agent WHERE sha1_thumbprint = ?",
            [sha1Thumbprint.stored], KRARecord.init)
    }

    func archivedKey(forRequest requestID: Int64) throws -> ArchivedKeyRecord? {
        try self.one(
            "read the archived key of request \(requestID)", "SELECT * FROM archived_key WHERE request_id = ?",
            [requestID], ArchivedKeyRecord.init)
    }

    func archivedKeys(afterRequest requestID: Int64, limit: Int) throws -> [ArchivedKeyRecord] {
        try self.all(
            "list archived keys", "SELECT * FROM archived_key WHERE request_id > ? ORDER BY request_id LIMIT ?",
            [requestID, limit], ArchivedKeyRecord.init)
    }

    func archivedKeyCount() throws -> Int {
        try self.one("count archived keys", "SELECT count(*) AS number FROM archived_key", []) {
            Int(try $0.integer("number"))
        } ?? 0
    }

    func highestArchivedKey() throws -> Int64? {
        try self.one(
            "find the highest archived key", "SELECT request_id FROM archived_key ORDER BY request_id DESC LIMIT 1", []
        ) { try $0.integer("request_id") }
    }

    func recoveryDrills(limit: Int) throws -> [RecoveryDrillRecord] {
        try self.all(
            "list recovery drills", "SELECT * FROM recovery_drill ORDER BY drill_id DESC LIMIT ?", [limit],
            RecoveryDrillRecord.init)
    }

    func user(named name: String) throws -> UserRecord? {
        try self.one("read a user", "SELECT * FROM user WHERE name = ?", [name], UserRecord.init)
    }

    func users() throws -> [UserRecord] {
        try self.all("list users", "SELECT * FROM user ORDER BY name", [], UserRecord.init)
    }

    func setting(_ name: String) throws -> String? {
        try self.one("read setting \(name)", "SELECT value FROM setting WHERE name = ?", [name]) {
            try $0.text("value")
        }
    }

    func auditHead() throws -> AuditEntry? {
        try self.one(
            "read the head of the audit chain", "SELECT * FROM audit ORDER BY sequence DESC LIMIT 1", [],
            AuditEntry.init)
    }

    func auditEntries(after sequence: Int64, limit: Int) throws -> [AuditEntry] {
        try self.all(
            "read the audit chain", "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
            [sequence, limit], AuditEntry.init)
    }
}
