import GRDB

extension Schema {
    static func registerRequests(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("requests-forms-and-search") { db in
            try db.execute(sql: requestForms)
            try db.execute(sql: requestSearch)
        }
    }

    /// What requests in all their forms, the queue and its search need.
    private static let requestForms = """
        ALTER TABLE request ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE request ADD COLUMN caller_name TEXT;
        ALTER TABLE request ADD COLUMN raw_old_certificate BLOB;
        ALTER TABLE request ADD COLUMN signer_application_policies TEXT;
        ALTER TABLE request ADD COLUMN signer_policies TEXT;
        ALTER TABLE request ADD COLUMN officer_name TEXT;
        ALTER TABLE request ADD COLUMN resumes_as INTEGER;
        ALTER TABLE request ADD COLUMN owner INTEGER;
        ALTER TABLE intent ADD COLUMN owner INTEGER;
        CREATE TABLE request_extension (
            request_id INTEGER NOT NULL REFERENCES request (request_id),
            oid TEXT NOT NULL,
            critical INTEGER NOT NULL,
            value BLOB,
            PRIMARY KEY (request_id, oid)
        ) WITHOUT ROWID;
        """

    /// One index for each way in which the queue is searched; each ends in the request's number, the order of the pages.
    /// That on intents is for the foreign key when requests are pruned.
    private static let requestSearch = """
        CREATE INDEX request_requester ON request (requester_name COLLATE NOCASE, request_id);
        CREATE INDEX request_template ON request (template_name COLLATE NOCASE, request_id);
        CREATE INDEX request_subject ON request (subject COLLATE NOCASE, request_id);
        CREATE INDEX request_submitted ON request (submitted_when, request_id);
        CREATE INDEX certificate_expiry ON certificate (not_after, request_id);
        CREATE INDEX intent_request ON intent (request_id) WHERE request_id IS NOT NULL;
        """
}
