import GRDB

extension Schema {
    /// An agent that was removed stays, because archived keys may still be encrypted to it; so does the certificate of an
    /// exchange key that has left its token.
    static func registerArchival(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("archival-1-agents-and-exchange-keys") { db in
            try db.execute(sql: "ALTER TABLE key_recovery_agent ADD COLUMN removed_when INTEGER")
            try db.execute(sql: "ALTER TABLE exchange_certificate ADD COLUMN retired_when INTEGER")
        }
        migrator.registerMigration("recovery-1-drills") { db in
            try db.execute(
                sql: """
                    CREATE TABLE recovery_drill (
                        drill_id INTEGER PRIMARY KEY AUTOINCREMENT,
                        ended_when INTEGER NOT NULL,
                        who TEXT NOT NULL,
                        is_good INTEGER NOT NULL,
                        report TEXT NOT NULL
                    );
                    """)
        }
    }
}
