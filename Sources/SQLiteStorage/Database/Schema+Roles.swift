import GRDB

extension Schema {
    /// Groups, identities of the machine and of TLS certificates, and what managers are restricted to.
    static func registerRoles(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("roles-1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE role_group (
                        name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
                        roles TEXT NOT NULL
                    );
                    CREATE TABLE role_group_member (
                        member TEXT NOT NULL COLLATE NOCASE,
                        group_name TEXT NOT NULL COLLATE NOCASE REFERENCES role_group (name) ON DELETE CASCADE,
                        PRIMARY KEY (member, group_name)
                    );
                    CREATE TABLE identity_mapping (
                        source TEXT NOT NULL,
                        name TEXT NOT NULL COLLATE NOCASE,
                        user_name TEXT NOT NULL,
                        roles TEXT NOT NULL,
                        PRIMARY KEY (source, name)
                    );
                    CREATE TABLE manager_restriction (
                        restriction_id INTEGER PRIMARY KEY AUTOINCREMENT,
                        manager TEXT NOT NULL COLLATE NOCASE,
                        effect TEXT NOT NULL,
                        requester_group TEXT NOT NULL,
                        template TEXT NOT NULL
                    );
                    CREATE INDEX manager_restriction_manager ON manager_restriction (manager);
                    """)
        }
    }

    /// A number that every change of users, groups and role separation raises, whoever makes it: who remembers principals
    /// asks for it alone.
    static func registerPrincipalVersion(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("roles-2-principal-version") { db in
            try db.execute(
                sql: """
                    CREATE TABLE principal_version (value INTEGER NOT NULL);
                    INSERT INTO principal_version VALUES (1);
                    """)
            for table in ["user", "role_group", "role_group_member"] { try self.countChanges(of: table, db) }
            try self.countChanges(of: "setting", onlyIf: "name = 'role.separation'", db)
        }
    }

    /// - Parameter condition: a column and its value, of the rows that count.
    private static func countChanges(
        of table: String, onlyIf condition: String? = nil, _ db: Database
    ) throws {
        for (event, rows) in [("INSERT", ["NEW"]), ("UPDATE", ["OLD", "NEW"]), ("DELETE", ["OLD"])] {
            let terms = condition.map { condition in rows.map { "\($0).\(condition)" }.joined(separator: " OR ") }
            try db.execute(
                sql: """
                    CREATE TRIGGER principal_version_\(table)_\(event.lowercased()) AFTER \(event) ON "\(table)"
                    \(terms.map { "WHEN \($0) " } ?? "")BEGIN
                        UPDATE principal_version SET value = value + 1;
                    END
                    """)
        }
    }
}
