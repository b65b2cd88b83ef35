import GRDB

/// The tables, as a list of migrations. A migration that has shipped is never edited; a change is a new one.
///
/// Times are milliseconds since 1970 (`AuditChain.milliseconds`), hashes and DER are blobs. Every column that a
/// request's path looks up has an index, and the two questions asked over and over (which intents are open, which
/// certificates are revoked) have partial ones that hold only the rows that answer them.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-certification-authority") { db in
            for statement in [requests, certificates, intents, authority, archival, settings, audit] {
                try db.execute(sql: statement)
            }
        }
        Schema.registerRoles(&migrator)
        Schema.registerLint(&migrator)
        Schema.registerRequests(&migrator)
        Schema.registerAudit(&migrator)
        Schema.registerRevocation(&migrator)
        Schema.registerCases(&migrator)
        Schema.registerArchival(&migrator)
        Schema.registerIssuance(&migrator)
        Schema.registerListHashes(&migrator)
        Schema.registerKeyRelease(&migrator)
        Schema.registerBackup(&migrator)
        Schema.registerPrincipalVersion(&migrator)
        Schema.registerShortIndices(&migrator)
        return migrator
    }

    private static let requests = """
        CREATE TABLE request (
            request_id INTEGER PRIMARY KEY AUTOINCREMENT,
            type INTEGER NOT NULL,
            raw_request BLOB NOT NULL,
            attributes TEXT NOT NULL,
            requester_name TEXT NOT NULL,
            template_name TEXT,
            subject TEXT NOT NULL,
            submitted_when INTEGER NOT NULL,
            resolved_when INTEGER,
            disposition INTEGER NOT NULL,
            status_code INTEGER NOT NULL,
            disposition_message TEXT NOT NULL,
            encrypted_key_hash BLOB
        );
        CREATE INDEX request_disposition ON request (disposition, request_id);
        """

    private static let certificates = """
        CREATE TABLE certificate (
            request_id INTEGER PRIMARY KEY REFERENCES request (request_id),
            serial_number TEXT NOT NULL UNIQUE,
            certificate_der BLOB NOT NULL,
            sha1_thumbprint BLOB NOT NULL,
            sha256_thumbprint BLOB NOT NULL,
            subject TEXT NOT NULL,
            common_name TEXT COLLATE NOCASE,
            user_principal_name TEXT COLLATE NOCASE,
            requester_name TEXT NOT NULL COLLATE NOCASE,
            template_name TEXT,
            subject_key_identifier BLOB NOT NULL,
            not_before INTEGER NOT NULL,
            not_after INTEGER NOT NULL,
            ca_key_index INTEGER NOT NULL,
            revocation_reason INTEGER,
            revoked_when INTEGER,
            revocation_effective_when INTEGER
        );
        CREATE INDEX certificate_sha1 ON certificate (sha1_thumbprint);
        CREATE INDEX certificate_sha256 ON certificate (sha256_thumbprint);
        CREATE INDEX certificate_common_name ON certificate (common_name) WHERE common_name IS NOT NULL;
        CREATE INDEX certificate_upn ON certificate (user_principal_name) WHERE user_principal_name IS NOT NULL;
        CREATE INDEX certificate_requester ON certificate (requester_name);
        CREATE INDEX certificate_ski ON certificate (subject_key_identifier);
        CREATE INDEX certificate_revoked ON certificate (ca_key_index, serial_number)
            WHERE revocation_reason IS NOT NULL;
        """

    private static let intents = """
        CREATE TABLE intent (
            intent_id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            request_id INTEGER REFERENCES request (request_id),
            number TEXT NOT NULL,
            tbs_sha256 BLOB NOT NULL,
            ca_key_index INTEGER NOT NULL,
            created_when INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            closed_when INTEGER,
            UNIQUE (kind, number)
        );
        CREATE INDEX intent_open ON intent (intent_id) WHERE outcome = 'open';
        CREATE INDEX intent_crl_number ON intent (CAST(number AS INTEGER)) WHERE kind = 'crl';
        """

    private static let authority = """
        CREATE TABLE ca_certificate (
            use TEXT NOT NULL,
            certificate_index INTEGER NOT NULL,
            key_index INTEGER NOT NULL,
            certificate_der BLOB NOT NULL,
            key_reference TEXT,
            key_sha256 BLOB,
            PRIMARY KEY (use, certificate_index)
        );
        CREATE TABLE exchange_certificate (
            request_id INTEGER PRIMARY KEY REFERENCES request (request_id),
            certificate_der BLOB NOT NULL,
            key_reference TEXT NOT NULL,
            key_sha256 BLOB NOT NULL,
            not_before INTEGER NOT NULL,
            not_after INTEGER NOT NULL
        );
        CREATE TABLE crl (
            number INTEGER PRIMARY KEY,
            ca_key_index INTEGER NOT NULL,
            this_update INTEGER NOT NULL,
            next_update INTEGER NOT NULL,
            crl_der BLOB NOT NULL
        );
        CREATE INDEX crl_key ON crl (ca_key_index, number);
        """

    private static let archival = """
        CREATE TABLE key_recovery_agent (
            agent_id INTEGER PRIMARY KEY AUTOINCREMENT,
            sha1_thumbprint BLOB NOT NULL UNIQUE,
            certificate_der BLOB NOT NULL,
            added_when INTEGER NOT NULL
        );
        CREATE TABLE archived_key (
            request_id INTEGER PRIMARY KEY REFERENCES request (request_id),
            format TEXT NOT NULL,
            enveloped_data_der BLOB NOT NULL,
            kra_hashes TEXT NOT NULL,
            evidence TEXT NOT NULL,
            archived_when INTEGER NOT NULL
        );
        """

    private static let settings = """
        CREATE TABLE user (
            name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
            password_hash TEXT NOT NULL,
            roles TEXT NOT NULL
        );
        CREATE TABLE setting (
            name TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        );
        """

    private static let audit = """
        CREATE TABLE audit (
            sequence INTEGER PRIMARY KEY,
            event INTEGER NOT NULL,
            happened_when INTEGER NOT NULL,
            who TEXT NOT NULL,
            details TEXT NOT NULL,
            previous_hash BLOB NOT NULL,
            hash BLOB NOT NULL
        );
        """
}
