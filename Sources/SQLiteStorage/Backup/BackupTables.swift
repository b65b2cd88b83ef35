import GRDB

/// How an increment takes each table of the database.
enum BackupTable: Equatable {
    /// Grows: the rows that changed, by the number that SQLite tells of each change. Where that is no column, rows are never
    /// deleted, so that VACUUM leaves them their numbers.
    case tracked(key: String)
    /// Grows, and has no such number: the rows of each changed request. Whoever writes them notes the request.
    case ofRequest
    /// Revocations, which number their changes themselves.
    case revocations
    /// Small: all of it.
    case whole
    /// Of the backup itself.
    case excluded

    /// The tables, in an order in which references point backwards. A test compares them with the database.
    static let all: [(name: String, kind: BackupTable)] = [
        ("request", .tracked(key: "request_id")), ("request_extension", .ofRequest), ("lint_finding", .ofRequest),
        ("key_release_approval", .ofRequest), ("certificate", .tracked(key: "request_id")),
        ("intent", .tracked(key: "intent_id")), ("archived_key", .tracked(key: "request_id")),
        ("exchange_certificate", .tracked(key: "request_id")), ("audit", .tracked(key: "sequence")),
        ("audit_head", .tracked(key: "rowid")), ("revocation_list", .tracked(key: "rowid")),
        ("replacement_case", .tracked(key: "case_id")), ("revocation", .revocations), ("ca_certificate", .whole),
        ("key_recovery_agent", .whole), ("user", .whole), ("setting", .whole), ("role_group", .whole),
        ("role_group_member", .whole), ("identity_mapping", .whole), ("manager_restriction", .whole),
        ("crl_scope", .whole), ("crl_counter", .whole), ("notice", .whole), ("recovery_drill", .whole),
        ("principal_version", .whole),
        ("sqlite_sequence", .whole),
        ("grdb_migrations", .excluded), ("change_log", .excluded), ("backup_chain", .excluded),
    ]

    static let tracked = Self.all.filter { if case .tracked = $0.kind { true } else { false } }.map(\.name)
}

extension Schema {
    /// `change_log`: one row a commit, which tells the rows that it changed; only while there is a row in `backup_chain`.
    static func registerBackup(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("backup-1-change-log") { db in
            try db.execute(
                sql: """
                    CREATE TABLE change_log (
                        number INTEGER PRIMARY KEY AUTOINCREMENT,
                        changes BLOB NOT NULL
                    );
                    CREATE TABLE backup_chain (
                        only INTEGER PRIMARY KEY CHECK (only = 1),
                        base TEXT,
                        position INTEGER NOT NULL,
                        change_number INTEGER NOT NULL,
                        revocation_change INTEGER NOT NULL,
                        made_when INTEGER NOT NULL,
                        migrations INTEGER NOT NULL
                    );
                    """)
        }
    }
}
