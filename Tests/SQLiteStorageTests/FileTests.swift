import CertificateAuthority
import Diagnostics
import Foundation
import GRDB
import Testing

@testable import SQLiteStorage

@Suite("The database file")
struct FileTests {
    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("File, write-ahead log and shared memory are for their owner only, also when the file was open to all")
    func modes() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            #expect(FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o666]))
            let storage = try SQLiteStorage(path: path)
            _ = try await storage.write { try $0.insert(request()) }
            for suffix in ["", "-wal", "-shm"] { try #expect(mode(path + suffix) == 0o600) }
        }
    }

    @Test("Commits are synchronised in full")
    func synchronous() async throws {
        try await withDirectory { directory in
            let storage = try SQLiteStorage(path: directory + "/signet.sqlite")
            let settings = try storage.database.writeWithoutTransaction { db in
                try ["synchronous", "journal_mode", "foreign_keys"].map {
                    try String.fetchOne(db, sql: "PRAGMA \($0)")
                }
            }
            #expect(settings == ["2", "wal", "1"])
        }
    }

    @Test("What was acknowledged is in the files that a killed process leaves")
    func afterKill() async throws {
        try await withDirectory { directory in
            let storage = try SQLiteStorage(path: directory + "/signet.sqlite")
            try await storage.write { writer in
                _ = try writer.insert(request())
                _ = try writer.insert(intent("61AA", requestID: 1))
                try writer.append(event())
            }
            // A kill leaves the files as they are at this moment: the log not yet copied into the database.
            let copy = directory + "/copy.sqlite"
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(
                    atPath: directory + "/signet.sqlite" + suffix, toPath: copy + suffix)
            }
            let reopened = try SQLiteStorage(path: copy)
            try await #expect(reopened.read { try $0.openIntents() }.map(\.number) == ["61AA"])
            let entries = try await reopened.read { try $0.auditEntries(after: 0, limit: 9) }
            #expect(entries.count == 1)
            #expect(AuditChain.firstBreak(in: entries, after: nil) == nil)
            _ = storage.statistics
        }
    }

    @Test("A database belongs to the instance that opened it first, and is refused to any other one, unchanged")
    func instances() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            // Nobody's, as one of an earlier version.
            let storage = try SQLiteStorage(path: path)
            #expect(try storage.owner() == nil)
            for _ in 0..<2 {
                try storage.claim(for: "first", path: path)
                #expect(throws: StorageError.expected(.otherInstance)) {
                    try SQLiteStorage(path: path).claim(for: "second", path: path)
                }
            }
            #expect(try SQLiteStorage(path: path).owner() == "first")
            try await #expect(storage.read { try $0.setting(SQLiteStorage.instanceSetting) } == "first")
        }
    }

    @Test("Whoever opens a database by another name sees whose work is under way")
    func links() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            let storage = try SQLiteStorage(path: path)
            _ = try await storage.write { try $0.insert(request()) }
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: path)
            let other = try SQLiteStorage(path: directory + "/link")
            _ = try await other.write { try $0.insert(request()) }
            #expect(!FileManager.default.fileExists(atPath: directory + "/link-owners"))
            try await #expect(other.write { try $0.abandonedRequests(limit: 9) }.isEmpty)
        }
    }

    @Test("A database of a newer version is refused and left as it is")
    func newerSchema() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            let storage = try SQLiteStorage(path: path)
            try await storage.database.write {
                try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9999-from-the-future')")
            }
            try storage.close()
            #expect(throws: StorageError.expected(.newerSchema)) { try SQLiteStorage(path: path) }
        }
    }

    @Test("A file that is no database, and a directory that is not there, are refused by their codes")
    func notADatabase() async throws {
        try await withDirectory { directory in
            try Data("This is a letter, not a database, and long enough to have a header.\n".utf8 + Data(count: 4096))
                .write(to: URL(fileURLWithPath: directory + "/letter"))
            #expect(throws: StorageError.expected(.corrupt)) { try SQLiteStorage(path: directory + "/letter") }
            #expect(throws: StorageError.expected(.cannotOpen)) { try SQLiteStorage(path: directory + "/a/b.sqlite") }
        }
    }

    @Test("A database that another process holds is busy, and free again afterwards")
    func busy() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            let storage = try SQLiteStorage(path: path, busyTimeoutSeconds: 0.02)
            var configuration = Configuration()
            configuration.allowsUnsafeTransactions = true  // the transaction is to stay open
            let other = try DatabaseQueue(path: path, configuration: configuration)
            try await other.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
            await #expect(throws: StorageError.expected(.busy)) {
                try await storage.write { try $0.insert(request()) }
            }
            try await other.writeWithoutTransaction { try $0.rollback() }
            try await #expect(storage.write { try $0.insert(request()) } == 1)
        }
    }

    @Test("A full database gives notWritten to every write it loses, and keeps what was committed")
    func maximumPages() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            try SQLiteStorage(path: path).close()
            let pool = try DatabasePool(path: path, configuration: SQLiteStorage.configuration(1))
            try await pool.writeWithoutTransaction { db in
                let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(pages + 4)")
            }
            try await fill(SQLiteStorage(database: pool, name: path))
        }
    }

    @Test("A full disk gives notWritten, and what was committed is whole", .enabled(if: TemporaryDisk.canMount))
    func fullDisk() async throws {
        try await TemporaryDisk.with(kibibytes: 1024) { directory in
            try await fill(SQLiteStorage(path: directory + "/signet.sqlite"))
        }
    }

    /// Writes until the database is full, then compares what is there with what was acknowledged.
    private func fill(_ storage: SQLiteStorage) async throws {
        var acknowledged: [Int64] = []
        var failure: StorageError?
        while failure == nil, acknowledged.count < 2000 {
            do {
                acknowledged.append(
                    try await storage.write { writer in
                        var large = request()
                        large.rawRequest = [UInt8](repeating: 0x30, count: 8000)
                        let number = try writer.insert(large)
                        try writer.append(event(.requestReceived, ["Request ID": "\(number)"]))
                        return number
                    })
            } catch let error as StorageError {
                failure = error
            }
        }
        #expect(failure == .expected(.notWritten))
        #expect(failure?.hresult == .writeFault)
        let entries = try await storage.read { try $0.auditEntries(after: 0, limit: 5000) }
        #expect(entries.compactMap { $0.event.details["Request ID"] } == acknowledged.map(String.init))
        #expect(AuditChain.firstBreak(in: entries, after: nil) == nil)
        let stored = try await storage.read { try $0.requests(with: nil, limit: 5000) }
        #expect(stored.map(\.requestID) == acknowledged.reversed())
    }
}
