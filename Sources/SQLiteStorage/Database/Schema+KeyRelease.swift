import GRDB

extension Schema {
    static func registerKeyRelease(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("key-release-1-approvals") { try $0.execute(sql: Schema.releaseApprovals) }
    }

    /// One a manager and key: who approves twice has approved once, later.
    private static let releaseApprovals = """
        CREATE TABLE key_release_approval (
            request_id INTEGER NOT NULL REFERENCES request (request_id),
            manager TEXT NOT NULL COLLATE NOCASE,
            approved_when INTEGER NOT NULL,
            PRIMARY KEY (request_id, manager)
        ) WITHOUT ROWID
        """
}
