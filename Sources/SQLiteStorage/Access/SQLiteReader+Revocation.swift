import CertificateAuthority
import Foundation
import GRDB

extension DatabaseReading {
    func forEachRevocation(_ query: RevocationQuery, _ body: (RevokedCertificate) throws -> Void) throws {
        let operation = "list revoked certificates"
        try StorageError.mapping(operation) {
            let rows = try Row.fetchCursor(
                self.db.cachedStatement(sql: query.selection), arguments: query.arguments)
            // By position and without ``RowReader``: this loop runs a million times.
            while let row = try rows.next() {
                let serial = try row.withUnsafeData(atIndex: 0) { $0.map { Array($0) } }
                guard let serial, let reason = Int.fromDatabaseValue(row[1]) else {
                    throw StorageError.corrupt("reason", operation)
                }
                let invalidity: Int64? = row[3]
                try body(
                    RevokedCertificate(
                        serialNumber: serial, reason: reason, effectiveWhen: Date(storedMilliseconds: row[2]),
                        invalidityWhen: invalidity.map { Date(storedMilliseconds: $0) }))
            }
        }
    }

    func highestRevocationChange() throws -> Int64 {
        try self.counter("revocation-change")
    }

    func highestCRLNumber() throws -> UInt64 {
        UInt64(clamping: try self.counter("crl-number"))
    }

    private func counter(_ name: String) throws -> Int64 {
        let operation = "read the counter \(name)"
        guard
            let value = try self.one(
                operation, "SELECT value FROM crl_counter WHERE name = ?", [name], { try $0.integer("value") })
        else { throw StorageError.corrupt("crl_counter", operation) }
        return value
    }

    func crlShards(caKeyIndex: Int) throws -> [Int] {
        let found = try self.all(
            "list the shards of the CRL", "SELECT crl_shard FROM crl_scope WHERE ca_key_index = ? ORDER BY crl_shard",
            [caKeyIndex]
        ) { try $0.int("crl_shard") }
        return found.first == 0 ? found : [0] + found
    }

    func latestCRL(_ scope: CRLScope, _ kind: CRLKind) throws -> CRLRecord? {
        try self.one(
            "read the newest CRL", CRLRecord.latest, [scope.caKeyIndex, scope.shard, kind.rawValue], CRLRecord.init)
    }

    func crls(limit: Int) throws -> [CRLRecord] {
        try self.all("list CRLs", CRLRecord.summaries, [limit], CRLRecord.init)
    }

    func crl(number: UInt64, kind: CRLKind) throws -> CRLRecord? {
        let operation = "read CRL \(number)"
        return try self.one(
            operation, "SELECT * FROM revocation_list WHERE number = ? AND kind = ?",
            [CRLRecord.stored(number, operation), kind.rawValue], CRLRecord.init)
    }
}
