import CertificateAuthority
import GRDB
import KeyProvider

extension SQLiteWriter {
    func raiseRequestID(to number: Int64) throws {
        let operation = "raise the request number"
        try self.execute(
            operation,
            """
            INSERT INTO sqlite_sequence (name, seq) SELECT 'request', 0
                WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'request')
            """, [])
        try self.execute(
            operation, "UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = 'request'", [number])
    }

    /// Until when such a certificate is valid is not known: it stays on the lists for ever.
    func insertRevocation(_ revoked: RevokedCertificate, scope: CRLScope) throws -> Bool {
        let operation = "take a revocation over from a published list"
        let key: StatementArguments = [scope.caKeyIndex, scope.shard, revoked.serialNumber.stored]
        let known = try self.one(
            operation,
            "SELECT reason FROM revocation WHERE ca_key_index = ? AND crl_shard = ? AND serial_number = ?", key
        ) { try $0.int("reason") }
        // A hold may have been taken away, and become a revocation then.
        guard known == nil || known == 8 else { return false }
        try self.execute(
            operation, "UPDATE crl_counter SET value = value + 1 WHERE name = 'revocation-change'", [])
        try self.execute(
            operation,
            """
            INSERT OR REPLACE INTO revocation (ca_key_index, crl_shard, serial_number, reason, effective_when,
                invalidity_when, not_after, change_number) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            key + [
                revoked.reason, revoked.effectiveWhen.stored, revoked.invalidityWhen?.stored, Int64.max,
                try self.highestRevocationChange(),
            ])
        return true
    }

    func listedRevocation(_ serialNumber: [UInt8], caKeyIndex: Int) throws -> RevokedCertificate? {
        try self.one(
            "read the revocation of a certificate that was not known",
            """
            SELECT reason, effective_when, invalidity_when FROM revocation
                WHERE ca_key_index = ? AND crl_shard = 0 AND serial_number = ?
            """, [caKeyIndex, serialNumber.stored]
        ) {
            RevokedCertificate(
                serialNumber: serialNumber, reason: try $0.int("reason"), effectiveWhen: try $0.date("effective_when"),
                invalidityWhen: try $0.dateIfPresent("invalidity_when"))
        }
    }

    func setReference(_ reference: KeyReference, ofKey publicKeySHA256: [UInt8]) throws {
        for table in ["ca_certificate", "exchange_certificate"] {
            try self.execute(
                "note where a key is", "UPDATE \(table) SET key_reference = ? WHERE key_sha256 = ?",
                [reference.uri, publicKeySHA256.stored])
        }
    }
}
