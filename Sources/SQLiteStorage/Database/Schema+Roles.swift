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
}
