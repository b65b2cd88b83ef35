/// What can be read for the audit chain and the ledger of signatures. Part of ``StorageReading``.
package protocol AuditStorageReading {
    /// Oldest first, beginning after a sequence number.
    func signedAuditHeads(after sequence: Int64, limit: Int) throws -> [SignedAuditHead]
    func latestSignedAuditHead() throws -> SignedAuditHead?
    func intent(_ kind: SigningIntent.Kind, number: String) throws -> SigningIntent?
    /// Every intent in its order, beginning after a number.
    func intents(after intentID: Int64, limit: Int) throws -> [SigningIntent]
    /// The number of the last intent: how often the CA's keys were to be used so far.
    func lastIntentID() throws -> Int64
    /// Every certificate in the order of requests, beginning after one.
    func certificates(afterRequest requestID: Int64, limit: Int) throws -> [CertificateRecord]
}

/// What can be written for the audit chain. Part of ``StorageWriting``.
package protocol AuditStorageWriting: AuditStorageReading {
    func insert(_ head: SignedAuditHead) throws
}
