import CertificateAuthority
import GRDB

extension Schema {
    /// Revocations in a narrow table of their own, ordered as a list is written, so that a list of a million entries
    /// is one walk over 50 MB and not a million look-ups in the certificates; and the lists themselves.
    static func registerRevocation(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("revocation-1") { db in
            for statement in [self.columns, self.revocations, self.lists, self.counters] {
                try db.execute(sql: statement)
            }
            try self.moveRevocations(db)
            try db.execute(sql: self.takingOver)
        }
    }

    private static let columns = """
        ALTER TABLE certificate ADD COLUMN crl_shard INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE certificate ADD COLUMN invalidity_when INTEGER;
        """

    /// A hold that was taken away stays, with reason 8: delta lists name it.
    private static let revocations = """
        CREATE TABLE revocation (
            ca_key_index INTEGER NOT NULL,
            crl_shard INTEGER NOT NULL,
            serial_number BLOB NOT NULL,
            reason INTEGER NOT NULL,
            effective_when INTEGER NOT NULL,
            invalidity_when INTEGER,
            not_after INTEGER NOT NULL,
            change_number INTEGER NOT NULL,
            PRIMARY KEY (ca_key_index, crl_shard, serial_number)
        ) WITHOUT ROWID;
        CREATE INDEX revocation_change ON revocation (ca_key_index, crl_shard, change_number);
        CREATE INDEX revocation_effective ON revocation (ca_key_index, crl_shard, effective_when);
        CREATE TABLE crl_scope (
            ca_key_index INTEGER NOT NULL,
            crl_shard INTEGER NOT NULL,
            PRIMARY KEY (ca_key_index, crl_shard)
        ) WITHOUT ROWID;
        """

    private static let lists = """
        CREATE TABLE revocation_list (
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            ca_key_index INTEGER NOT NULL,
            crl_shard INTEGER NOT NULL,
            issued_when INTEGER NOT NULL,
            this_update INTEGER NOT NULL,
            next_update INTEGER NOT NULL,
            next_publish INTEGER,
            base_number INTEGER,
            change_number INTEGER NOT NULL,
            entry_count INTEGER,
            byte_count INTEGER NOT NULL,
            file_name TEXT,
            published_when INTEGER,
            publication_error TEXT,
            crl_der BLOB NOT NULL,
            PRIMARY KEY (number, kind)
        );
        CREATE INDEX revocation_list_scope ON revocation_list (ca_key_index, crl_shard, kind, number);
        """

    /// `crl-number` is the highest number ever reserved: it only rises.
    private static let counters = """
        CREATE TABLE crl_counter (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO crl_counter SELECT 'crl-number', MAX(
            (SELECT COALESCE(MAX(number), 0) FROM crl),
            (SELECT COALESCE(MAX(CAST(number AS INTEGER)), 0) FROM intent WHERE kind = 'crl'));
        INSERT INTO crl_counter VALUES ('revocation-change', 0);
        """

    private static let takingOver = """
        INSERT INTO crl_scope SELECT DISTINCT ca_key_index, 0 FROM certificate;
        INSERT INTO revocation_list (number, kind, ca_key_index, crl_shard, issued_when, this_update, next_update,
            change_number, byte_count, crl_der)
        SELECT number, 'base', ca_key_index, 0, this_update, this_update, next_update, 0, length(crl_der), crl_der FROM crl;
        DROP TABLE crl;
        DROP INDEX certificate_revoked;
        """

    private static func moveRevocations(_ db: Database) throws {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT serial_number, ca_key_index, revocation_reason, revocation_effective_when, not_after
                FROM certificate WHERE revocation_reason IS NOT NULL
                """)
        let insertion = try db.makeStatement(sql: "INSERT INTO revocation VALUES (?, 0, ?, ?, ?, NULL, ?, ?)")
        var change: Int64 = 0
        while let row = try rows.next() {
            guard let serial = CertificateRecord.serialNumberContent(row[0]) else {
                throw StorageError.corrupt("serial_number", "move revocations to a table of their own")
            }
            change += 1
            let (key, reason, effective, notAfter): (Int64, Int64, Int64, Int64) = (row[1], row[2], row[3], row[4])
            try insertion.execute(arguments: [key, serial.stored, reason, effective, notAfter, change])
        }
        try db.execute(sql: "UPDATE crl_counter SET value = ? WHERE name = 'revocation-change'", arguments: [change])
    }
}
