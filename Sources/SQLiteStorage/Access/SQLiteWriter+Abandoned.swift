import CertificateAuthority
import GRDB

/// Work whose process has ended.
extension SQLiteWriter {
    func abandonedIntents() throws -> [SigningIntent] {
        let owners = try self.owners("SELECT DISTINCT owner FROM intent WHERE outcome = 'open'")
        return try owners.filter(self.isDead).flatMap { owner in
            try self.all(
                "list open intents", "SELECT * FROM intent WHERE outcome = 'open' AND owner IS ? ORDER BY intent_id",
                [owner], SigningIntent.init)
        }
    }

    func abandonedRequests(limit: Int) throws -> [RequestRecord] {
        let active = Disposition.active.rawValue
        let owners = try self.owners("SELECT DISTINCT owner FROM request WHERE disposition = \(active)")
        for owner in try owners.filter(self.isDead) {
            let found = try self.all(
                "list requests under way",
                """
                SELECT * FROM request WHERE disposition = \(active) AND owner IS ?
                ORDER BY request_id DESC LIMIT ?
                """,
                [owner, limit], RequestRecord.init)
            if !found.isEmpty { return found }
        }
        return []
    }

    /// Rows from before there were owners have none.
    private func isDead(_ owner: Int64?) throws -> Bool {
        guard let owner else { return true }
        return try !self.owner.isAlive(owner)
    }

    private func owners(_ sql: String) throws -> [Int64?] {
        try self.all("list who works", sql) { try $0.integerIfPresent("owner") }
    }
}
