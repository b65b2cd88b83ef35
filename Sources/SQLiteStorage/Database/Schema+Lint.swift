import GRDB

extension Schema {
    static func registerLint(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("lint-findings") { try $0.execute(sql: Schema.lintFindings) }
    }

    /// Rows only for requests of which something was found: the primary key finds them, and most have none.
    private static let lintFindings = """
        CREATE TABLE lint_finding (
            request_id INTEGER NOT NULL REFERENCES request (request_id),
            position INTEGER NOT NULL,
            finding TEXT NOT NULL,
            severity TEXT NOT NULL,
            source TEXT NOT NULL,
            message TEXT NOT NULL,
            PRIMARY KEY (request_id, position)
        ) WITHOUT ROWID
        """
}
