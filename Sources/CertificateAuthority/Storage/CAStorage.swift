package import Foundation

/// What can be read of an instance's database. All methods throw `StorageError`.
package protocol StorageReading: RoleStorageReading, RequestStorageReading, AuditStorageReading, RevocationReading,
    KeyReleaseReading
{
    func request(_ requestID: Int64) throws -> RequestRecord?
    /// The one thing that every step of a request asks, without the rest of its row.
    func disposition(ofRequest requestID: Int64) throws -> Disposition?
    /// Newest first.
    func requests(with disposition: Disposition?, limit: Int) throws -> [RequestRecord]

    func certificate(forRequest requestID: Int64) throws -> CertificateRecord?
    func certificate(serialNumber: String) throws -> CertificateRecord?
    /// Certificates of which the common name, UPN, requester, serial number, thumbprint (SHA-1 or SHA-256) or key
    /// identifier equals `term`; only those with an archived key when `archivedOnly`.
    func certificates(matching term: String, archivedOnly: Bool) throws -> [CertificateRecord]

    func openIntents() throws -> [SigningIntent]

    /// What the linter found in the certificate that a request would have got or has, in order.
    func lintFindings(ofRequest requestID: Int64) throws -> [LintFinding]

    func caCertificates() throws -> [CACertificateRecord]
    /// Newest first.
    func exchangeCertificates() throws -> [ExchangeCertificateRecord]

    /// The configured ones, in the order in which they were added.
    func keyRecoveryAgents() throws -> [KRARecord]
    /// One that is configured or was: archived keys may still be encrypted to it.
    func keyRecoveryAgent(sha1Thumbprint: [UInt8]) throws -> KRARecord?
    func archivedKey(forRequest requestID: Int64) throws -> ArchivedKeyRecord?
    /// In the order of requests, beginning after one.
    func archivedKeys(afterRequest requestID: Int64, limit: Int) throws -> [ArchivedKeyRecord]
    func archivedKeyCount() throws -> Int
    /// The highest request number with an archived key.
    func highestArchivedKey() throws -> Int64?
    /// Newest first.
    func recoveryDrills(limit: Int) throws -> [RecoveryDrillRecord]
    /// What certificate managers have set on a request, in the order of the identifiers.
    func extensions(ofRequest requestID: Int64) throws -> [RequestExtension]

    func user(named name: String) throws -> UserRecord?
    func users() throws -> [UserRecord]

    func setting(_ name: String) throws -> String?

    /// The newest entry of the chain, or `nil` for an empty one.
    func auditHead() throws -> AuditEntry?
    /// In order, beginning after `sequence`.
    func auditEntries(after sequence: Int64, limit: Int) throws -> [AuditEntry]
}

/// What can be written, inside one transaction.
package protocol StorageWriting: StorageReading, RoleStorageWriting, RequestStorageWriting, AuditStorageWriting,
    RevocationWriting, KeyReleaseWriting, RestoreStorageWriting
{
    /// - Returns: the request's number.
    func insert(_ request: RequestRecord) throws -> Int64
    func update(_ request: RequestRecord) throws
    /// Stores the outcome of an active request of which nothing else has changed since it was stored: disposition, code,
    /// message and when.
    ///
    /// - Returns: false when it is not active any more; then nothing is changed.
    func settle(_ request: RequestRecord) throws -> Bool
    func set(_ change: RequestExtension, ofRequest requestID: Int64) throws

    func insert(_ certificate: CertificateRecord) throws
    /// `nil` takes a hold away.
    func setRevocation(_ revocation: CertificateRecord.Revocation?, serialNumber: String) throws

    /// Replaces what the linter found for a request.
    func insert(_ findings: [LintFinding], forRequest requestID: Int64) throws

    /// - Returns: the intent's number. A `(kind, number)` that was used before is refused by a constraint.
    func insert(_ intent: SigningIntent) throws -> Int64
    /// Open intents of processes that have ended.
    func abandonedIntents() throws -> [SigningIntent]
    /// Active requests of processes that have ended, at most that many.
    func abandonedRequests(limit: Int) throws -> [RequestRecord]
    func closeIntent(_ intentID: Int64, outcome: SigningIntent.Outcome, at date: Date) throws

    func insert(_ certificate: CACertificateRecord) throws
    func insert(_ certificate: ExchangeCertificateRecord) throws
    /// Notes that an exchange key is no more on its token.
    func setRetired(exchangeCertificateOfRequest requestID: Int64, at date: Date) throws
    /// Configures an agent, also one that was removed before.
    func insert(_ agent: KRARecord) throws
    /// Takes an agent out of the configuration. Its certificate stays for the recovery blobs of earlier keys.
    func removeKeyRecoveryAgent(sha1Thumbprint: [UInt8], at date: Date) throws
    func insert(_ key: ArchivedKeyRecord) throws
    /// Puts another archive of the same key in the place of the one that is there.
    func replace(_ key: ArchivedKeyRecord) throws
    func insert(_ drill: RecoveryDrillRecord) throws
    func upsert(_ user: UserRecord) throws
    func setSetting(_ name: String, to value: String) throws

    /// Appends an event to the audit chain, unless the audit filter leaves it out. The chain's hash is computed here,
    /// in the transaction.
    func append(_ event: AuditEvent) throws
}

/// An instance's database.
///
/// Writes of concurrent callers share one durable commit: a closure that throws undoes its own work only, and each
/// caller returns when the commit is on disk. A lone caller does not wait for company.
package protocol CAStorage: Sendable {
    func read<R: Sendable>(_ body: @escaping @Sendable (any StorageReading) throws -> R) async throws -> R
    /// The same for a read that takes seconds: it gives way to requests where there is too little processor time for all.
    func readInBackground<R: Sendable>(
        _ body: @escaping @Sendable (any StorageReading) throws -> R
    ) async throws -> R
    /// `body` may be run a second time before it is committed, and does nothing but with what it is given.
    func write<R: Sendable>(_ body: @escaping @Sendable (any StorageWriting) throws -> R) async throws -> R
    /// Takes what was deleted or replaced out of everything that the database keeps on the disk, its log included. To be
    /// called after archived keys were.
    ///
    /// - Throws: `StorageError`; with code `busy` while a reader still needs what was there before.
    func forgetDeleted() async throws
}

extension CAStorage {
    package func readInBackground<R: Sendable>(
        _ body: @escaping @Sendable (any StorageReading) throws -> R
    ) async throws -> R {
        try await self.read(body)
    }
}
