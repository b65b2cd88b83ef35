import GRDB

extension Schema {
    /// Of lists that are kept as files, so that the ledger can be compared with them.
    static func registerListHashes(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("audit-2-list-hashes") {
            try $0.execute(sql: "ALTER TABLE revocation_list ADD COLUMN tbs_sha256 BLOB")
        }
    }

    /// Signed heads of the audit chain.
    static func registerAudit(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("audit-1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE audit_head (
                        sequence INTEGER NOT NULL,
                        hash BLOB NOT NULL,
                        signed_when INTEGER NOT NULL,
                        number TEXT NOT NULL PRIMARY KEY,
                        statement_der BLOB NOT NULL
                    );
                    CREATE INDEX audit_head_sequence ON audit_head (sequence);
                    """)
        }
    }
}
