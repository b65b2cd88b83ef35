import GRDB

extension Schema {
    /// Replacements (which outlive the rows that they name), notices, and the index by which expiring certificates are found.
    static func registerCases(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("revocation-2-cases") { db in
            try db.execute(
                sql: """
                    CREATE TABLE replacement_case (
                        case_id INTEGER PRIMARY KEY AUTOINCREMENT,
                        serial_number TEXT NOT NULL UNIQUE,
                        requester_name TEXT NOT NULL,
                        template_name TEXT NOT NULL,
                        subject TEXT NOT NULL,
                        reason INTEGER NOT NULL,
                        opened_when INTEGER NOT NULL,
                        opened_by TEXT NOT NULL,
                        deadline INTEGER NOT NULL,
                        request_bytes BLOB NOT NULL,
                        last_request_id INTEGER NOT NULL,
                        new_request_id INTEGER
                    );
                    CREATE TABLE notice (
                        subject TEXT NOT NULL,
                        step INTEGER NOT NULL,
                        value INTEGER NOT NULL,
                        PRIMARY KEY (subject, step)
                    ) WITHOUT ROWID;
                    CREATE INDEX certificate_not_after ON certificate (not_after, request_id)
                        WHERE revocation_reason IS NULL;
                    """)
        }
    }
}
