import CertificateAuthority
import Foundation
import GRDB
import Testing

@testable import SQLiteStorage

@Suite("A database of an earlier version keeps what it has")
struct MigrationTests {
    /// A database as it was before the indices were ordered, with a row in each table that the migration touches.
    private func old() throws -> DatabaseQueue {
        let queue = try DatabaseQueue(configuration: SQLiteStorage.configuration(1))
        try Schema.migrator.migrate(queue, upTo: "revocation-2-cases")
        try queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO request (request_id, type, raw_request, attributes, requester_name, subject,
                        submitted_when, disposition, status_code, disposition_message)
                    VALUES (7, 256, x'3000', '', 'alice', 'CN=alice', 1, 20, 0, 'Issued');
                    INSERT INTO certificate (request_id, serial_number, certificate_der, sha1_thumbprint,
                        sha256_thumbprint, subject, requester_name, subject_key_identifier, not_before, not_after,
                        ca_key_index)
                    VALUES (7, '61AA00000007', x'3001', x'0102', x'0304', 'CN=alice', 'alice', x'0506', 1, 2, 0);
                    INSERT INTO intent (intent_id, kind, request_id, number, tbs_sha256, ca_key_index, created_when,
                        outcome, closed_when, owner)
                    VALUES (3, 'certificate', 7, '61AA00000007', x'07', 0, 1, 'completed', 2, NULL),
                        (5, 'crl', NULL, '12', x'08', 0, 3, 'open', NULL, 99),
                        (9, 'message', NULL, 'AB', x'09', 0, 4, 'failed', 5, NULL);
                    DELETE FROM intent WHERE intent_id = 9;
                    """)
        }
        return queue
    }

    @Test("Intents keep numbers, owners and outcomes; a number used before stays used, and no row's number comes again")
    func intents() async throws {
        let queue = try self.old()
        let storage = try SQLiteStorage(database: queue, name: "old")
        let intents = try await storage.read { try $0.intents(after: 0, limit: 9) }
        #expect(intents.map(\.intentID) == [3, 5])
        #expect(intents.map(\.outcome) == [.completed, .open])
        #expect(intents.map(\.requestID) == [7, nil])
        #expect(intents.first?.toBeSignedSHA256 == [7])
        let owners = try await queue.read {
            try Int64?.fetchAll($0, sql: "SELECT owner FROM intent ORDER BY intent_id")
        }
        #expect(owners == [nil, 99])
        #expect(try await storage.read { try $0.intent(.certificate, number: "61AA00000007") }?.intentID == 3)
        #expect(try await storage.read { try $0.intent(.crl, number: "12") }?.intentID == 5)
        #expect(try await storage.read { try $0.intent(.crl, number: "61AA00000007") } == nil)
        for used in [intent("61AA00000007"), intent("12", kind: .crl)] {
            await #expect(throws: StorageError.expected(.duplicate)) {
                try await storage.write { try $0.insert(used) }
            }
        }
        #expect(try await storage.write { try $0.insert(intent("62AA00000007")) } == 10)
    }

    @Test("Certificates are found by their hashes as before", arguments: ["0102", "0304", "05:06", "61AA00000007"])
    func certificates(by term: String) async throws {
        let storage = try SQLiteStorage(database: self.old(), name: "old")
        let found = try await storage.read { try $0.certificates(matching: term, archivedOnly: false) }
        #expect(found.map(\.requestID) == [7])
    }

    @Test("The tables are whole, and their references hold")
    func whole() async throws {
        let queue = try self.old()
        _ = try SQLiteStorage(database: queue, name: "old")
        let integrity = try await queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
        #expect(integrity == ["ok"])
        let dangling = try await queue.read { try Row.fetchAll($0, sql: "PRAGMA foreign_key_check").count }
        #expect(dangling == 0)
    }
}
