import CertificateAuthority
import Dispatch
import Foundation
import GRDB
import Testing

@testable import SQLiteStorage

@Suite("Concurrent writes share durable commits and nothing else")
struct GroupCommitTests {
    struct Refusal: Error, Equatable {}

    /// Holds the writer with a first closure until `count` further writes wait behind it.
    private func behindBlockedWriter(
        _ storage: SQLiteStorage, count: Int, _ write: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let gate = DispatchSemaphore(value: 0)
        let started = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await storage.write { _ in
                    started.continuation.finish()
                    gate.wait()
                }
            }
            for await _ in started.stream {}
            for number in 0..<count { group.addTask { try await write(number) } }
            while storage.statistics.waiting < count { try await Task.sleep(for: .milliseconds(1)) }
            gate.signal()
            try await group.waitForAll()
        }
    }

    @Test("Writes that arrive while a transaction runs are one transaction", arguments: Place.allCases)
    func shared(_ place: Place) async throws {
        try await place.withStorage { storage in
            try await behindBlockedWriter(storage, count: 40) { _ in
                _ = try await storage.write { try $0.insert(request()) }
            }
            #expect(storage.statistics == StorageStatistics(commits: 2, writes: 41, waiting: 0))
            try await #expect(storage.read { try $0.requests(with: nil, limit: 99) }.count == 40)
        }
    }

    @Test("A lone write is a transaction of its own")
    func lone() async throws {
        try await Place.file.withStorage { storage in
            for _ in 1...3 { _ = try await storage.write { try $0.insert(request()) } }
            #expect(storage.statistics == StorageStatistics(commits: 3, writes: 3, waiting: 0))
        }
    }

    /// A storage whose transactions wait so long for company.
    private func storage(patience: Duration) throws -> SQLiteStorage {
        try SQLiteStorage(
            database: DatabaseQueue(configuration: SQLiteStorage.configuration(10)), name: "test", patience: patience)
    }

    @Test("Where many wrote at once a transaction starts as soon as three quarters of them are back")
    func company() async throws {
        let storage = try self.storage(patience: .seconds(100_000))
        try await behindBlockedWriter(storage, count: 15) { _ in
            _ = try await storage.write { try $0.insert(request()) }
        }
        #expect(storage.statistics == StorageStatistics(commits: 2, writes: 16, waiting: 0))
        // There were sixteen, less an eighth after the transaction of fifteen: fifteen, of whom eleven must come.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { _ = try await storage.write { try $0.insert(request()) } } }
            while storage.statistics.waiting < 10 { try await Task.sleep(for: .milliseconds(1)) }
            #expect(storage.statistics.commits == 2)
            group.addTask { _ = try await storage.write { try $0.insert(request()) } }
            try await group.waitForAll()
        }
        #expect(storage.statistics == StorageStatistics(commits: 3, writes: 27, waiting: 0))
    }

    @Test("A caller whom the others have left waits for them once, and never again")
    func leftAlone() async throws {
        let storage = try self.storage(patience: .milliseconds(1))
        try await behindBlockedWriter(storage, count: 15) { _ in
            _ = try await storage.write { try $0.insert(request()) }
        }
        #expect(storage.company > 1)
        _ = try await storage.write { try $0.insert(request()) }
        #expect(storage.company == 1)
        #expect(storage.statistics == StorageStatistics(commits: 3, writes: 17, waiting: 0))
    }

    @Test("A write that throws undoes its own work only, and the audit chain goes on", arguments: Place.allCases)
    func isolation(_ place: Place) async throws {
        try await place.withStorage { storage in
            try await behindBlockedWriter(storage, count: 30) { number in
                do {
                    try await storage.write { writer in
                        try writer.append(event(.requestReceived, ["number": "\(number)"]))
                        try writer.setSetting("\(number)", to: "x")
                        if number % 3 == 0 { throw Refusal() }
                    }
                    #expect(number % 3 != 0)
                } catch is Refusal {
                    #expect(number % 3 == 0)
                }
            }
            #expect(storage.statistics.commits == 2)
            let entries = try await storage.read { try $0.auditEntries(after: 0, limit: 99) }
            #expect(AuditChain.firstBreak(in: entries, after: nil) == nil)
            #expect(
                Set(entries.compactMap { $0.event.details["number"] }.compactMap { Int($0) })
                    == Set((0..<30).filter { $0 % 3 != 0 }))
            try await storage.read { reader in
                for number in 0..<30 { try #expect(reader.setting("\(number)") == (number % 3 == 0 ? nil : "x")) }
            }
        }
    }

    @Test("An error caught inside a write keeps the rest of that write")
    func caught() async throws {
        try await Place.memory.withStorage { storage in
            try await storage.write { writer in
                _ = try writer.insert(intent("01"))
                #expect(throws: StorageError.expected(.duplicate)) { try writer.insert(intent("01")) }
                _ = try writer.insert(intent("02"))
            }
            try await #expect(storage.read { try $0.openIntents() }.map(\.number) == ["01", "02"])
        }
    }

    @Test("A write of a cancelled task has its outcome all the same")
    func cancelled() async throws {
        try await Place.file.withStorage { storage in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await storage.write { try $0.insert(request()) }
            }
            try await #expect(task.value == 1)
            try await #expect(storage.read { try $0.request(1) } != nil)
        }
    }

    @Test("After closing, reads and writes are refused and none hangs")
    func closed() async throws {
        try await Place.file.withStorage { storage in
            _ = try await storage.write { try $0.insert(request()) }
            try storage.close()
            await #expect(throws: StorageError.self) { try await storage.write { try $0.insert(request()) } }
            await #expect(throws: StorageError.self) { try await storage.read { try $0.request(1) } }
        }
    }
}
