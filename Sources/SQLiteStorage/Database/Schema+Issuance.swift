import GRDB

extension Schema {
    /// Indices to which an issuance adds at one place and not at a random one of a million.
    ///
    /// Hashes and serial numbers are random, so that each index on one costs every issuance a page of its own, written
    /// twice. Serial numbers end in the number of their request, by which they are ordered now. Hashes are ordered by
    /// some thousand requests at a time: a search looks into each part, of which a million certificates have 489.
    static func registerIssuance(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("issuance-1") { db in
            for statement in [self.intentsInOrder, self.hashesInParts] { try db.execute(sql: statement) }
        }
    }

    /// Certificates in one part of ``partOfHashes``, as a power of two.
    static let partBits = 11

    /// Which part of the indices on hashes a certificate is in.
    static let partOfHashes = "(request_id >> \(partBits))"

    /// The order in which serial numbers and CRL numbers are given out.
    static let orderOfNumbers = "substr(number, -8)"

    /// A constraint within a table cannot be dropped, so that the table is made anew.
    private static let intentsInOrder = """
        CREATE TABLE intent_new (
            intent_id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            request_id INTEGER REFERENCES request (request_id),
            number TEXT NOT NULL,
            tbs_sha256 BLOB NOT NULL,
            ca_key_index INTEGER NOT NULL,
            created_when INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            closed_when INTEGER,
            owner INTEGER
        );
        INSERT INTO intent_new (intent_id, kind, request_id, number, tbs_sha256, ca_key_index, created_when, outcome,
            closed_when, owner)
        SELECT intent_id, kind, request_id, number, tbs_sha256, ca_key_index, created_when, outcome, closed_when, owner
            FROM intent ORDER BY intent_id;
        DELETE FROM sqlite_sequence WHERE name = 'intent_new';
        INSERT INTO sqlite_sequence (name, seq) SELECT 'intent_new', seq FROM sqlite_sequence WHERE name = 'intent';
        DROP TABLE intent;
        ALTER TABLE intent_new RENAME TO intent;
        CREATE UNIQUE INDEX intent_number ON intent (kind, \(orderOfNumbers), number);
        CREATE INDEX intent_open ON intent (intent_id) WHERE outcome = 'open';
        CREATE INDEX intent_request ON intent (request_id) WHERE request_id IS NOT NULL;
        """

    private static let hashesInParts = """
        DROP INDEX certificate_sha1;
        DROP INDEX certificate_sha256;
        DROP INDEX certificate_ski;
        CREATE INDEX certificate_sha1 ON certificate ((request_id >> 13), sha1_thumbprint);
        CREATE INDEX certificate_sha256 ON certificate ((request_id >> 13), sha256_thumbprint);
        CREATE INDEX certificate_ski ON certificate ((request_id >> 13), subject_key_identifier);
        """

    /// Fewer and smaller pages again: only the beginnings of hashes are in the indices, in smaller parts; whose request it
    /// was is found by the request, which has the same name; and one index on the end of validity is enough.
    static func registerShortIndices(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("issuance-2-short-indices") { try $0.execute(sql: self.shortIndices) }
    }

    /// The beginning of a hash, as the indices have it. Whether the whole is the same is seen by the row.
    static func beginning(of hash: String) -> String { "substr(\(hash), 1, 4)" }

    private static let shortIndices = """
        DROP INDEX certificate_sha1;
        DROP INDEX certificate_sha256;
        DROP INDEX certificate_ski;
        DROP INDEX certificate_requester;
        DROP INDEX certificate_not_after;
        CREATE INDEX certificate_sha1 ON certificate (\(partOfHashes), \(beginning(of: "sha1_thumbprint")));
        CREATE INDEX certificate_sha256 ON certificate (\(partOfHashes), \(beginning(of: "sha256_thumbprint")));
        CREATE INDEX certificate_ski ON certificate (\(partOfHashes), \(beginning(of: "subject_key_identifier")));
        """
}
