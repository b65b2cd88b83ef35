import CertificateAuthority
import Foundation
import GRDB
import Testing

@testable import SQLiteStorage

@Suite("Deleted archives")
struct ForgettingTests {
    /// Random bytes, over several pages.
    private func archive(_ requestID: Int64) -> ArchivedKeyRecord {
        var key = archivedKey(requestID)
        key.envelopedDataDER = (0..<9_000).map { _ in UInt8.random(in: 0...255) }
        return key
    }

    /// How many pieces of 16 bytes of an archive are in the database's files, free pages and log among them.
    private func pieces(of key: ArchivedKeyRecord, in directory: String) throws -> Int {
        let bytes = Data(key.envelopedDataDER)
        let files = try FileManager.default.contentsOfDirectory(atPath: directory)
            .map { try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\($0)")) }
        return stride(from: 0, to: bytes.count - 16, by: 16).count { start in
            files.contains { $0.range(of: bytes[start..<(start + 16)]) != nil }
        }
    }

    @Test("An archive that was replaced, and one whose row was deleted, are in no page and not in the log")
    func forgotten() async throws {
        try await withDirectory { directory in
            let storage = try SQLiteStorage(path: directory + "/signet.sqlite")
            let ids = try await storage.write { db in
                try [Disposition.pending, .denied, .pending].map { try db.insert(request(disposition: $0)) }
            }
            let (replaced, deleted, kept) = (self.archive(ids[0]), self.archive(ids[1]), self.archive(ids[2]))
            let other = self.archive(ids[0])
            try await storage.write { db in for key in [replaced, deleted, kept] { try db.insert(key) } }
            for key in [replaced, deleted] { #expect(try self.pieces(of: key, in: directory) > 500) }
            let step = try await storage.write { db in
                try db.replace(other)
                var rule = PruningRule(.failed, before: noon.addingTimeInterval(60))
                rule.takesArchivedKeys = true
                return try db.prune(rule, after: nil, effort: 10, now: noon.addingTimeInterval(60))
            }
            #expect(step.requests == [ids[1]])
            try await storage.forgetDeleted()
            for key in [replaced, deleted] { #expect(try self.pieces(of: key, in: directory) == 0) }
            for key in [kept, other] { #expect(try self.pieces(of: key, in: directory) > 500) }
            try storage.close()
        }
    }

    @Test("While a reader needs what was there before, it is said that it is still there")
    func reader() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            let storage = try SQLiteStorage(path: path, busyTimeoutSeconds: 0.01)
            let id = try await storage.write { try $0.insert(request()) }
            let (old, new) = (self.archive(id), self.archive(id))
            try await storage.write { try $0.insert(old) }
            let other = try SQLiteStorage(path: path)
            var snapshot = try (other.database as? DatabasePool)?.makeSnapshot()
            try #require(snapshot != nil)
            try await storage.write { try $0.replace(new) }
            let error = await #expect(throws: StorageError.self) { try await storage.forgetDeleted() }
            #expect(error?.code == .busy)
            try snapshot?.close()
            snapshot = nil
            try await storage.forgetDeleted()
            #expect(try self.pieces(of: old, in: directory) == 0)
            #expect(try self.pieces(of: new, in: directory) > 500)
            try other.close()
            try storage.close()
        }
    }
}
