import CertificateAuthority
import Foundation
import GRDB

/// Answers ``StorageWriting`` in the savepoint of one caller.
struct SQLiteWriter: DatabaseReading, StorageWriting {
    let db: Database
    let head: AuditHead
    let owner: WorkOwner
    let statements: PathStatements
    /// `nil` while no backups are made that need to know what changed.
    let changes: ChangeCollector?

    /// - Returns: how many rows the statement changed.
    @discardableResult
    func execute(_ operation: String, _ sql: String, _ arguments: StatementArguments) throws -> Int {
        try StorageError.mapping(operation) {
            try self.db.cachedStatement(sql: sql).execute(arguments: arguments)
            return self.db.changesCount
        }
    }

    /// The same for a statement of every issuance.
    @discardableResult
    func run(
        _ operation: @autoclosure () -> String, _ statement: PathStatement, _ values: [StoredValue]
    ) throws -> Int {
        do {
            return try self.statements.run(statement, values)
        } catch let error as DatabaseError {
            throw StorageError(error, operation: operation())
        }
    }

    func disposition(ofRequest requestID: Int64) throws -> Disposition? {
        let operation = "read request \(requestID)"
        return try StorageError.mapping(operation) {
            try self.statements.integer(.disposition, [.integer(requestID)]).map { code in
                guard let disposition = Disposition(rawValue: Int(code)) else {
                    throw StorageError.corrupt("disposition", operation)
                }
                return disposition
            }
        }
    }

    func insert(_ request: RequestRecord) throws -> Int64 {
        try self.run("store a request", .insertRequest, request.insertedValues(owner: self.owner(of: request)))
        return self.db.lastInsertedRowID
    }

    func update(_ request: RequestRecord) throws {
        let operation = "update request \(request.requestID)"
        let changed = try self.run(
            operation, .changeRequest, request.changedValues(owner: self.owner(of: request)))
        guard changed == 1 else {
            throw StorageError.notFound("request \(request.requestID)", operation: operation)
        }
    }

    func settle(_ request: RequestRecord) throws -> Bool {
        try self.run("settle request \(request.requestID)", .settleRequest, request.settledValues) == 1
    }

    func set(_ change: RequestExtension, ofRequest requestID: Int64) throws {
        self.changes?.noteRequest(requestID)
        try self.execute(
            "store an extension of request \(requestID)", RequestExtension.upsertion,
            [requestID, change.oid, change.isCritical, change.value?.stored])
    }

    /// Only what is under way belongs to a process.
    private func owner(of request: RequestRecord) throws -> Int64? {
        request.disposition == .active ? try self.owner.number() : nil
    }

    func insert(_ certificate: CertificateRecord) throws {
        try self.run("store certificate \(certificate.serialNumber)", .insertCertificate, certificate.values)
        try self.noteScope(of: certificate)
        if let revocation = certificate.revocation {
            try self.noteChange(revocation, serialNumber: certificate.serialNumber)
        }
    }

    func setRevocation(_ revocation: CertificateRecord.Revocation?, serialNumber: String) throws {
        let operation = "change the revocation of certificate \(serialNumber)"
        let changed = try self.execute(
            operation,
            """
            UPDATE certificate SET revocation_reason = ?, revoked_when = ?, revocation_effective_when = ?,
                invalidity_when = ? WHERE serial_number = ?
            """,
            [
                revocation?.reason, revocation?.revokedWhen.stored, revocation?.effectiveWhen.stored,
                revocation?.invalidityWhen?.stored, serialNumber,
            ])
        guard changed == 1 else {
            throw StorageError.notFound("certificate \(serialNumber)", operation: operation)
        }
        try self.noteChange(revocation, serialNumber: serialNumber)
    }

    func insert(_ intent: SigningIntent) throws -> Int64 {
        try self.run(
            "store the intent to sign \(intent.kind.rawValue) \(intent.number)", .insertIntent,
            intent.values(owner: self.owner.number()))
        let intentID = self.db.lastInsertedRowID
        // A number that a signature was asked for is used up, whatever becomes of the signature.
        if [.crl, .deltaCRL].contains(intent.kind), let number = UInt64(intent.number) {
            try self.raiseCRLNumber(to: number)
        }
        return intentID
    }

    /// Refuses with `notFound` an intent that is closed already: it has one outcome.
    func closeIntent(_ intentID: Int64, outcome: SigningIntent.Outcome, at date: Date) throws {
        let operation = "close intent \(intentID)"
        let changed = try self.run(
            operation, .closeIntent, [.text(outcome.rawValue), .integer(date.stored), .integer(intentID)])
        guard changed == 1 else { throw StorageError.notFound("open intent \(intentID)", operation: operation) }
    }

    func insert(_ certificate: CACertificateRecord) throws {
        try self.execute("store a CA certificate", CACertificateRecord.insertion, certificate.columns)
    }

    func insert(_ certificate: ExchangeCertificateRecord) throws {
        try self.execute("store an exchange certificate", ExchangeCertificateRecord.insertion, certificate.columns)
    }

    func setRetired(exchangeCertificateOfRequest requestID: Int64, at date: Date) throws {
        try self.execute(
            "retire an exchange key", "UPDATE exchange_certificate SET retired_when = ? WHERE request_id = ?",
            [date.stored, requestID])
    }

    func insert(_ agent: KRARecord) throws {
        // One that was removed before comes back at the end of the row.
        try self.execute(
            "forget a removed key recovery agent",
            "DELETE FROM key_recovery_agent WHERE sha1_thumbprint = ? AND removed_when IS NOT NULL",
            [agent.sha1Thumbprint.stored])
        try self.execute("store a key recovery agent", KRARecord.insertion, agent.columns)
    }

    func removeKeyRecoveryAgent(sha1Thumbprint: [UInt8], at date: Date) throws {
        try self.execute(
            "remove a key recovery agent",
            "UPDATE key_recovery_agent SET removed_when = ? WHERE sha1_thumbprint = ?",
            [date.stored, sha1Thumbprint.stored])
    }

    func insert(_ key: ArchivedKeyRecord) throws {
        try self.execute(
            "store the archived key of request \(key.requestID)", ArchivedKeyRecord.insertion, key.columns)
    }

    func replace(_ key: ArchivedKeyRecord) throws {
        let operation = "replace the archived key of request \(key.requestID)"
        guard try self.execute(operation, ArchivedKeyRecord.replacement, key.columns) == 1 else {
            throw StorageError.notFound("archived key of request \(key.requestID)", operation: operation)
        }
    }

    func insert(_ drill: RecoveryDrillRecord) throws {
        try self.execute("store a recovery drill", RecoveryDrillRecord.insertion, drill.columns)
    }

    func upsert(_ user: UserRecord) throws {
        try self.execute("store a user", UserRecord.upsertion, user.columns())
    }

    func setSetting(_ name: String, to value: String) throws {
        try self.execute(
            "store setting \(name)",
            "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [name, value])
        if name == AuditFilter.setting { self.head.forget() }
    }

    func auditTip() throws -> AuditTip? {
        try self.one(
            "read the head of the audit chain", "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1"
        ) { try AuditTip(sequence: $0.integer("sequence"), hash: $0.bytes("hash")) }
    }
}
