import PKIMessages

/// Compares three records of what the CA keys have signed: the ledger of intents, the signed objects, and the audit
/// chain. Every completed use must have its object and its event; every object must have its use.
///
/// Reads everything, in portions: for `signet audit verify`, never on the path of a request.
package struct SignatureReconciliation: Sendable {
    private static let portion = 1_000

    package struct Summary: Sendable, Equatable {
        /// Uses by outcome.
        package var completed = 0
        package var failed = 0
        package var interrupted = 0
        package var open = 0
        package var certificates = 0
        package var findings: [AuditFinding] = []
    }

    private let storage: any CAStorage
    private let recordedUses: [String: Int64]
    private let deletedRequests: NumberRanges
    private let hasUnlistedDeletions: Bool

    /// - Parameter verifier: that has seen the whole chain and collected the uses.
    package init(storage: any CAStorage, chain verifier: AuditVerifier) {
        self.storage = storage
        self.recordedUses = verifier.recordedUses
        self.deletedRequests = verifier.deletedRequests.reduce(NumberRanges()) { $0.union($1) }
        self.hasUnlistedDeletions = verifier.hasUnlistedDeletions
    }

    package func run() async throws -> Summary {
        var summary = Summary()
        let own = try await self.ownCertificates()
        var known: Set<String> = []
        try await self.checkIntents(own, &summary, &known)
        if !self.hasUnlistedDeletions {
            // What went by rule with its request is in the chain.
            let missing = self.recordedUses.filter { use, request in
                !known.contains(use) && !self.deletedRequests.contains(request)
            }
            for use in missing.keys.sorted() {
                summary.note(.objectWithoutUse, "the audit chain records \(use), which the ledger does not have")
            }
        }
        try await self.checkCertificates(&summary)
        return summary
    }

    private func ownCertificates() async throws -> [String: [UInt8]] {
        try await self.storage.read { db in
            try db.caCertificates().reduce(into: [:]) { found, record in
                let fields = try CertificateFields(derEncoded: record.certificateDER)
                found[fields.serialHex] = Digest.sha256.hash(fields.tbsBytes)
            }
        }
    }

    private func checkIntents(
        _ own: [String: [UInt8]], _ summary: inout Summary, _ known: inout Set<String>
    ) async throws {
        var last: Int64 = 0
        while true {
            let after = last
            let (intents, objects) = try await self.storage.read { db in
                let intents = try db.intents(after: after, limit: Self.portion)
                return (intents, try intents.map { try $0.hashOfObject(in: db, own: own) })
            }
            guard let newest = intents.last else { return }
            last = newest.intentID
            for (intent, object) in zip(intents, objects) {
                known.insert(intent.use)
                self.check(intent, object, &summary)
            }
        }
    }

    private func check(_ intent: SigningIntent, _ object: SigningIntent.Object, _ summary: inout Summary) {
        let name = "\(intent.kind.rawValue) \(intent.number)"
        switch intent.outcome {
        case .failed: summary.failed += 1
        case .interrupted: summary.interrupted += 1
        case .open: summary.open += 1
        case .completed:
            summary.completed += 1
            if self.recordedUses[intent.use] == nil {
                summary.note(
                    .useWithoutEvent, "the CA key signed \(name), and the audit chain has no event of it")
            }
            switch object {
            case .hash(let hash) where hash == intent.toBeSignedSHA256: return
            case .hash: summary.note(.useWithoutObject, "the CA key signed another \(name) than the one that is stored")
            case .unreadable:
                summary.note(.useWithoutObject, "the CA key signed \(name), and what is stored in its place is damaged")
            // A use goes with its object, so that the ledger has none of what went by rule.
            case .missing where !self.hasUnlistedDeletions:
                summary.note(.useWithoutObject, "the CA key signed \(name), which is not stored")
            case .missing, .notKept: return
            }
            return
        }
        // Signed or not: what was not completed was never shown, so that nothing may be stored of it.
        if case .hash(let hash) = object, hash == intent.toBeSignedSHA256 {
            summary.note(.objectWithoutUse, "\(name) is stored, although its signing has the outcome \(intent.outcome)")
        }
    }

    private func checkCertificates(_ summary: inout Summary) async throws {
        var last: Int64 = 0
        while true {
            let after = last
            let (newest, unknown, count) = try await self.storage.read { db in
                let records = try db.certificates(afterRequest: after, limit: Self.portion)
                // Imported certificates of another CA are not ours to account for.
                let unknown = try records.filter { record in
                    try db.intent(.certificate, number: record.serialNumber) == nil
                }.filter { record in try !db.isForeign(record) }
                return (records.last?.requestID, unknown.map(\.serialNumber), records.count)
            }
            guard let newest else { return }
            last = newest
            summary.certificates += count
            for serial in unknown {
                summary.note(
                    .objectWithoutUse, "certificate \(serial) is stored, and the ledger has no use of the CA key for it"
                )
            }
        }
    }
}

extension SignatureReconciliation.Summary {
    fileprivate mutating func note(_ kind: AuditFinding.Kind, _ text: String) {
        guard self.findings.count < AuditVerifier.maximumFindings else { return }
        self.findings.append(AuditFinding(kind, text))
    }
}

extension StorageReading {
    /// True for a certificate that none of this CA's keys has signed.
    fileprivate func isForeign(_ record: CertificateRecord) throws -> Bool {
        // `try?`: what cannot be read is no other CA's certificate.
        guard let fields = try? CertificateFields(derEncoded: record.certificateDER) else { return false }
        return try !self.hasSigned(fields)
    }
}

extension SigningIntent {
    fileprivate var use: String { "\(self.kind.rawValue):\(self.number)" }

    fileprivate enum Object: Sendable {
        /// SHA-256 of its to-be-signed bytes.
        case hash([UInt8])
        /// The row is there, and its bytes are no certificate or list.
        case unreadable
        case missing
        /// Messages go to their receivers and are not kept; files of large lists of an older version have no hash.
        case notKept

        static func of(_ toBeSigned: () throws -> [UInt8]) -> Object {
            // `try?`: that it cannot be read is the finding.
            (try? toBeSigned()).map { .hash(Digest.sha256.hash($0)) } ?? .unreadable
        }
    }

    fileprivate func hashOfObject(in db: any StorageReading, own: [String: [UInt8]]) throws -> Object {
        switch self.kind {
        case .certificate:
            if let hash = own[self.number] { return .hash(hash) }
            guard let record = try db.certificate(serialNumber: self.number) else { return .missing }
            return .of { try CertificateFields(derEncoded: record.certificateDER).tbsBytes }
        case .crl, .deltaCRL:
            guard let number = UInt64(self.number),
                let record = try db.crl(number: number, kind: self.kind == .crl ? .base : .delta)
            else { return .missing }
            // A list too large for the database is in a file, which is not read here: its row has the hash.
            if record.fileName != nil { return record.toBeSignedSHA256.map { .hash($0) } ?? .notKept }
            return .of { try CertificateListFields(derEncoded: record.crlDER).tbsBytes }
        case .message, .auditHead: return .notKept
        }
    }
}
