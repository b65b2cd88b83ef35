import CertificateAuthority
import Foundation
import GRDB
import Testing

@testable import SQLiteStorage

@Suite("The audit chain in the database")
struct AuditTests {
    private func entries(_ storage: SQLiteStorage) async throws -> [AuditEntry] {
        try await storage.read { try $0.auditEntries(after: 0, limit: 1000) }
    }

    @Test("Two connections that append at once make one chain without a gap")
    func twoConnections() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            let storages = [try SQLiteStorage(path: path), try SQLiteStorage(path: path)]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        try await storages[number % 2].write { writer in
                            try writer.append(event(.requestReceived, ["number": "\(number)"]))
                            try writer.append(event(.certificateIssued, ["number": "\(number)"]))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let chain = try await entries(storages[0])
            #expect(chain.map(\.sequence) == Array(1...120))
            #expect(AuditChain.firstBreak(in: chain, after: nil) == nil)
        }
    }

    @Test("Entries are read in pieces that verify one after the other", arguments: Place.allCases)
    func pieces(_ place: Place) async throws {
        try await place.withStorage { storage in
            try await storage.write { writer in
                for number in 1...5 { try writer.append(event(.keyArchived, ["Name \"x\" ä": "\(number)\n\u{1}\\"])) }
            }
            let first = try await storage.read { try $0.auditEntries(after: 0, limit: 3) }
            let second = try await storage.read { try $0.auditEntries(after: 3, limit: 3) }
            #expect(AuditChain.firstBreak(in: first, after: nil) == nil)
            #expect(AuditChain.firstBreak(in: second, after: first.last) == nil)
            try await #expect(storage.read { try $0.auditHead() } == second.last)
        }
    }

    static let tamperings: [(String, Int64)] = [
        ("UPDATE audit SET who = 'EXAMPLE\\mallory' WHERE sequence = 3", 3),
        ("UPDATE audit SET details = '{\"Request ID\":\"7\"}' WHERE sequence = 2", 2),
        ("UPDATE audit SET happened_when = happened_when + 1 WHERE sequence = 4", 4),
        ("UPDATE audit SET event = 772 WHERE sequence = 1", 1),
        ("DELETE FROM audit WHERE sequence = 2", 3),
        (
            "UPDATE audit SET sequence = -sequence WHERE sequence IN (2, 3); "
                + "UPDATE audit SET sequence = 5 + sequence WHERE sequence < 0", 2
        ),
    ]

    @Test("A changed, removed or reordered entry is found", arguments: tamperings)
    func tampering(_ sql: String, firstBreak: Int64) async throws {
        let queue = try DatabaseQueue()
        let storage = try SQLiteStorage(database: queue, name: "test")
        try await storage.write { writer in
            for number in 1...5 { try writer.append(event(.requestReceived, ["Request ID": "\(number)"])) }
        }
        try await queue.write { try $0.execute(sql: sql) }
        try await #expect(AuditChain.firstBreak(in: entries(storage), after: nil)?.sequence == firstBreak)
    }
}
