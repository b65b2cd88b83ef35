import CertificateAuthority
import Foundation
import GRDB

extension SQLiteWriter {
    /// What belongs to a request and goes with it, the request itself last. An intent's number can go: a certificate's
    /// serial number ends in that of its request, which the table never gives twice.
    private static let dependents = [
        "key_release_approval", "lint_finding", "request_extension", "intent", "certificate", "request",
    ]

    func prune(
        _ rule: PruningRule, after position: RequestQuery.Position?, effort: Int, now: Date
    ) throws -> PruningStep {
        var looked = 0
        var deleted: [Int64] = []
        var last: RequestQuery.Position?
        for (sql, first) in PruningWalk.statements(rule, after: position) {
            let candidates = try self.all(
                "find rows to delete", sql,
                [
                    "key": first.key, "start": first.requestID, "before": min(rule.before, now).stored,
                    "effort": effort - looked,
                ]
            ) { (try $0.integer("position"), try $0.integer("request_id")) }
            for (_, requestID) in candidates where try self.mayGo(requestID, rule) {
                if !rule.isRehearsal { try self.delete(requestID, rule) }
                deleted.append(requestID)
            }
            looked += candidates.count
            if let end = candidates.last { last = .init(key: end.0, requestID: end.1) }
            if looked >= effort { return PruningStep(requests: deleted, next: last) }
        }
        return PruningStep(requests: deleted, next: nil)
    }

    private func mayGo(_ requestID: Int64, _ rule: PruningRule) throws -> Bool {
        if !rule.takesArchivedKeys, try self.archivedKey(forRequest: requestID) != nil { return false }
        let isExchange = try self.one(
            "look for an exchange certificate", "SELECT 1 AS n FROM exchange_certificate WHERE request_id = ?",
            [requestID]
        ) { try $0.integer("n") }
        if isExchange != nil { return false }
        guard let certificate = try self.certificate(forRequest: requestID) else { return rule.subject != .expired }
        guard rule.subject == .expired else { return false }
        guard certificate.revocation != nil else { return true }
        // On every list of its scope until one was made after it had expired.
        let scope = CRLScope(caKeyIndex: certificate.caKeyIndex, shard: certificate.crlShard)
        guard let list = try self.latestCRL(scope, .base) else { return false }
        return list.thisUpdate > certificate.notAfter
    }

    private func delete(_ requestID: Int64, _ rule: PruningRule) throws {
        let tables = (rule.takesArchivedKeys ? ["archived_key"] : []) + SQLiteWriter.dependents
        for table in tables {
            try StorageError.mapping("delete request \(requestID)") {
                try self.db.cachedStatement(sql: "DELETE FROM \(table) WHERE request_id = ?")
                    .execute(arguments: [requestID])
            }
        }
    }
}

/// The candidates of a rule, in the order of an index: for requests one disposition after the other.
enum PruningWalk {
    static func statements(
        _ rule: PruningRule, after position: RequestQuery.Position?
    ) -> [(sql: String, start: RequestQuery.Position)] {
        let dispositions: [Disposition] =
            switch rule.subject {
            case .expired: []
            case .pending: [.pending]
            case .failed: [.error, .denied]
            }
        let start = position ?? .init(key: 0, requestID: 0)
        guard rule.subject != .expired else {
            return [
                (
                    """
                    SELECT not_after AS position, request_id FROM certificate INDEXED BY certificate_expiry
                    WHERE not_after < :before AND (not_after, request_id) > (:key, :start)
                    ORDER BY not_after, request_id LIMIT :effort
                    """, start
                )
            ]
        }
        return dispositions.filter { Int64($0.rawValue) >= start.key }.map { disposition in
            (
                """
                SELECT disposition AS position, request_id FROM request INDEXED BY request_disposition
                WHERE disposition = \(disposition.rawValue) AND request_id > :start AND submitted_when < :before
                    AND :key >= 0
                ORDER BY request_id LIMIT :effort
                """, Int64(disposition.rawValue) == start.key ? start : .init(key: start.key, requestID: 0)
            )
        }
    }
}
