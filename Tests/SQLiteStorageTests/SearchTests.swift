import CertificateAuthority
import Foundation
import GRDB
import Testing

@testable import SQLiteStorage

@Suite("A certificate is found by whatever names it")
struct SearchTests {
    static let terms = [
        "alice", "ALICE", "alice@example.test", "example\\Alice", "61AA00", "61 aa 00", "61:AA:00",
        "0101010101010101010101010101010101010101",
        "01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01",
        "0101010101010101010101010101010101010101010101010101010101010101",
        "AB:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01",
    ]

    @Test("Common name, UPN, requester, serial number, thumbprints and key identifier find it", arguments: terms)
    func found(by term: String) async throws {
        try await Place.memory.withStorage { storage in
            try await storage.write { writer in
                _ = try writer.insert(request())
                try writer.insert(certificate(1, serial: "61AA00"))
            }
            try await #expect(storage.read { try $0.certificates(matching: term, archivedOnly: false) }.count == 1)
            try await #expect(storage.read { try $0.certificates(matching: term, archivedOnly: true) }.isEmpty)
            try await storage.write { try $0.insert(archivedKey(1)) }
            try await #expect(storage.read { try $0.certificates(matching: term, archivedOnly: true) }.count == 1)
        }
    }

    @Test("A part of a name, a wildcard or nothing finds nothing", arguments: ["", "ali", "%", "*", "61AA", "01"])
    func notFound(by term: String) async throws {
        try await Place.memory.withStorage { storage in
            try await storage.write { writer in
                _ = try writer.insert(request())
                try writer.insert(certificate(1, serial: "61AA00"))
            }
            try await #expect(storage.read { try $0.certificates(matching: term, archivedOnly: false) }.isEmpty)
        }
    }

    @Test("Several hits come newest first, each once")
    func several() async throws {
        try await Place.memory.withStorage { storage in
            try await storage.write { writer in
                for number in 1...3 as ClosedRange<Int64> {
                    _ = try writer.insert(request())
                    try writer.insert(certificate(number, serial: "61AA0\(number)"))
                }
            }
            let hits = try await storage.read { try $0.certificates(matching: "alice", archivedOnly: false) }
            #expect(hits.map(\.requestID) == [3, 2, 1])
        }
    }

    static let statements = [
        CertificateRecord.search + CertificateRecord.onlyArchived, CertificateRecord.searchByText,
        CRLRecord.latest,
        "SELECT * FROM request WHERE disposition = ? ORDER BY request_id DESC LIMIT ?",
        "SELECT * FROM certificate WHERE serial_number = ?",
        "SELECT crl_shard FROM crl_scope WHERE ca_key_index = ? ORDER BY crl_shard",
        "SELECT * FROM user WHERE name = ?",
        "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
    ]

    @Test("No question on a request's path reads a whole table or sorts one", arguments: statements)
    func plans(_ sql: String) async throws {
        let queue = try DatabaseQueue()
        try Schema.migrator.migrate(queue)
        let plan = try await queue.read { db in
            let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
            statement.setUncheckedArguments([])
            return try Row.fetchAll(statement).map { $0["detail"] as String }
        }
        #expect(!plan.isEmpty)
        // The parts of the indices on hashes are counted, not read.
        let steps = plan.filter { !["SCAN CONSTANT ROW", "SCAN part"].contains($0) }
        #expect(steps.allSatisfy { !$0.hasPrefix("SCAN") && !$0.contains("FOR ORDER BY") }, "\(plan)")
    }

    @Test("A hash finds the certificate in whichever part of its index it is, and nothing else")
    func parts() async throws {
        let queue = try DatabaseQueue(configuration: SQLiteStorage.configuration(1))
        let storage = try SQLiteStorage(database: queue, name: "parts")
        let far = Int64(5) << Schema.partBits
        try await queue.write {
            try $0.execute(sql: "INSERT INTO sqlite_sequence VALUES ('request', ?)", arguments: [far])
        }
        try await storage.write { writer in
            for _ in 1...2 {
                let number = try writer.insert(request())
                try writer.insert(certificate(number, serial: "61AA0\(number)"))
            }
        }
        for number in [far + 1, far + 2] {
            let mark = String(repeating: number == far + 1 ? "01" : "02", count: 20)
            for term in [mark, mark + mark.prefix(24), "AB" + mark.dropLast(2)] {
                let found = try await storage.read { try $0.certificates(matching: term, archivedOnly: false) }
                #expect(found.map(\.requestID) == [number], "\(term)")
            }
        }
    }

    @Test("Open intents are read from an index of their own")
    func partialIndexes() async throws {
        let queue = try DatabaseQueue()
        try Schema.migrator.migrate(queue)
        let plan = try await queue.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + SigningIntent.open).map { $0["detail"] as String }
        }
        #expect(plan.joined() == "SCAN intent USING INDEX intent_open")
    }

    @Test("A complete list is one walk over its scope, a delta list looks only at what changed; nothing is sorted")
    func revocations() async throws {
        let queue = try DatabaseQueue()
        try Schema.migrator.migrate(queue)
        func plan(_ since: RevocationQuery.Since?) async throws -> [String] {
            let query = RevocationQuery(scope: CRLScope(caKeyIndex: 0), effectiveUntil: Date(), since: since)
            return try await queue.read { db in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + query.selection, arguments: query.arguments)
                    .map { $0["detail"] as String }
            }
        }
        #expect(
            try await plan(nil) == [
                "SEARCH revocation USING PRIMARY KEY (ca_key_index=? AND crl_shard=?)"
            ])
        let delta = try await plan(.init(changeNumber: 1, effective: Date()))
        #expect(
            delta.contains { $0.contains("revocation_change (ca_key_index=? AND crl_shard=? AND change_number>?)") })
        #expect(delta.contains { $0.contains("revocation_effective") && $0.contains("effective_when>?") })
        #expect(delta.first?.contains("serial_number=?") == true)
        #expect(
            delta.allSatisfy { !$0.hasPrefix("SCAN revocation") && !$0.contains("TEMP B-TREE FOR ORDER") }, "\(delta)")
    }
}
