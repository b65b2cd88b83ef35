import CertificateAuthority
import Foundation
import SQLiteStorage
import Testing

@Suite("Searching and pruning the queue, and whose work is whose")
struct QueueSearchTests {
    /// Twenty requests: every fourth is denied, the others issued with certificates that expire one day after the other.
    private func filled(_ storage: SQLiteStorage) async throws {
        try await storage.write { db in
            for number in 1...20 {
                let isDenied = number % 4 == 0
                var row = request(
                    number % 2 == 0 ? "EXAMPLE\\alice" : "EXAMPLE\\bob", disposition: isDenied ? .denied : .issued)
                row.subject = "CN=host\(number)"
                row.submittedWhen = noon.addingTimeInterval(Double(number))
                let id = try db.insert(row)
                guard !isDenied else { continue }
                try db.insert(
                    certificate(
                        id, serial: "4\(number)", notAfter: noon.addingTimeInterval(Double(number) * 86_400)))
            }
        }
    }

    private func all(_ storage: SQLiteStorage, _ query: RequestQuery) async throws -> [Int64] {
        var query = query
        var found: [Int64] = []
        while true {
            let asked = query
            let page = try await storage.read { try $0.requests(matching: asked) }
            found += page.rows.map(\.request.requestID)
            guard let next = page.next else { return found }
            query.after = next
        }
    }

    @Test("Pages of any size and effort give the same rows as one page", arguments: [(1, 1), (3, 7), (100, 5_000)])
    func pages(limit: Int, effort: Int) async throws {
        let storage = try SQLiteStorage(inMemoryNamed: "pages")
        try await self.filled(storage)
        var query = RequestQuery()
        query.limit = limit
        query.effort = effort
        #expect(try await self.all(storage, query) == Array((1...20).reversed()))
        query.isDescending = false
        #expect(try await self.all(storage, query) == Array(1...20))
        query.requesterName = "example\\ALICE"
        query.disposition = .denied
        #expect(try await self.all(storage, query) == [4, 8, 12, 16, 20])
        query.requesterName = nil
        query.disposition = nil
        query.subjectPart = "HOST1"
        #expect(try await self.all(storage, query) == [1] + Array(10...19))
        query.subjectPart = nil
        query.order = .expires
        query.expires = noon...noon.addingTimeInterval(7 * 86_400)
        #expect(try await self.all(storage, query) == [1, 2, 3, 5, 6, 7])
        query.isDescending = true
        query.order = .submitted
        query.expires = nil
        query.submitted = noon.addingTimeInterval(18)...noon.addingTimeInterval(30)
        #expect(try await self.all(storage, query) == [20, 19, 18])
    }

    @Test("A serial number, a subject and a range of numbers find what they name")
    func exact() async throws {
        let storage = try SQLiteStorage(inMemoryNamed: "exact")
        try await self.filled(storage)
        var query = RequestQuery()
        query.serialNumber = "47"
        #expect(try await self.all(storage, query) == [7])
        query = RequestQuery()
        query.subject = "cn=HOST9"
        #expect(try await self.all(storage, query) == [9])
        query = RequestQuery()
        query.numbers = 5...7
        #expect(try await self.all(storage, query) == [7, 6, 5])
    }

    private func prune(_ storage: SQLiteStorage, _ rule: PruningRule, now: Date) async throws -> Int {
        var position: RequestQuery.Position?
        var deleted = 0
        repeat {
            let start = position
            let step = try await storage.write { try $0.prune(rule, after: start, effort: 2, now: now) }
            deleted += step.requests.count
            position = step.next
        } while position != nil
        return deleted
    }

    @Test("Pruning takes failed requests and expired certificates, and nothing that is valid or archived")
    func prune() async throws {
        let storage = try SQLiteStorage(inMemoryNamed: "prune")
        try await self.filled(storage)
        try await storage.write { try $0.insert(archivedKey(2)) }
        let now = noon.addingTimeInterval(10.5 * 86_400)
        var failed = PruningRule(.failed, before: noon.addingTimeInterval(17))
        failed.isRehearsal = true
        #expect(try await self.prune(storage, failed, now: now) == 4)
        failed.isRehearsal = false
        #expect(try await self.prune(storage, failed, now: now) == 4)
        #expect(try await self.prune(storage, failed, now: now) == 0)
        // A date in the future takes no more than what has expired: 1 to 10 without the denied 4 and 8 and the archived 2.
        var expired = PruningRule(.expired, before: noon.addingTimeInterval(1_000 * 86_400))
        #expect(try await self.prune(storage, expired, now: now) == 7)
        #expect(
            try await self.all(storage, RequestQuery())
                == [20, 19, 18, 17, 15, 14, 13, 11, 2])
        expired.takesArchivedKeys = true
        #expect(try await self.prune(storage, expired, now: now) == 1)
        #expect(try await storage.read { try $0.archivedKey(forRequest: 2) } == nil)
    }

    @Test("A revoked certificate stays until a CRL was made after it had expired")
    func pruneRevoked() async throws {
        let storage = try SQLiteStorage(inMemoryNamed: "revoked")
        try await self.filled(storage)
        try await storage.write {
            try $0.setRevocation(.init(reason: 1, revokedWhen: noon, effectiveWhen: noon), serialNumber: "41")
        }
        let now = noon.addingTimeInterval(1.5 * 86_400)
        let rule = PruningRule(.expired, before: now)
        #expect(try await self.prune(storage, rule, now: now) == 0, "there is no CRL yet")
        func publish(_ number: UInt64, _ when: Date) async throws {
            try await storage.write {
                try $0.insert(
                    CRLRecord(
                        number: number, caKeyIndex: 0, thisUpdate: when, nextUpdate: when.addingTimeInterval(1),
                        crlDER: [0x30]))
            }
        }
        try await publish(1, noon.addingTimeInterval(0.5 * 86_400))
        #expect(try await self.prune(storage, rule, now: now) == 0, "the newest CRL is from before the expiry")
        try await publish(2, noon.addingTimeInterval(1.2 * 86_400))
        #expect(try await self.prune(storage, rule, now: now) == 1)
    }

    @Test("A revoked certificate of a shard stays until a CRL of that shard was made after it had expired")
    func pruneShard() async throws {
        let storage = try SQLiteStorage(inMemoryNamed: "shard")
        try await self.filled(storage)
        try await storage.write { db in
            var certificate = try #require(try db.certificate(serialNumber: "41"))
            certificate.requestID = try db.insert(request())
            (certificate.serialNumber, certificate.crlShard) = ("5A5A", 3)
            certificate.revocation = .init(reason: 1, revokedWhen: noon, effectiveWhen: noon)
            try db.insert(certificate)
        }
        let now = noon.addingTimeInterval(1.5 * 86_400)
        for (shard, isGone) in [(0, false), (2, false), (3, true)] {
            try await storage.write {
                try $0.insert(
                    CRLRecord(
                        number: UInt64(shard + 1), caKeyIndex: 0, thisUpdate: now,
                        nextUpdate: now.addingTimeInterval(1), crlDER: [0x30], shard: shard))
            }
            _ = try await self.prune(storage, PruningRule(.expired, before: now), now: now)
            #expect(try await storage.read { try $0.certificate(serialNumber: "5A5A") == nil } == isGone)
        }
    }

    @Test("Work of a process that runs is nobody else's to settle; when it ends it is")
    func owners() async throws {
        try await withDirectory { directory in
            let path = directory + "/signet.sqlite"
            var first: SQLiteStorage? = try SQLiteStorage(path: path)
            let second = try SQLiteStorage(path: path)
            try await first?.write { db in
                let id = try db.insert(request())
                _ = try db.insert(intent("AA", requestID: id))
            }
            func abandoned(_ storage: SQLiteStorage) async throws -> [Int] {
                try await storage.write {
                    [try $0.abandonedIntents().count, try $0.abandonedRequests(limit: 10).count]
                }
            }
            #expect(try await abandoned(second) == [0, 0])
            if let first { #expect(try await abandoned(first) == [0, 0], "nor is its own") }
            try first?.close()
            first = nil
            #expect(try await abandoned(second) == [1, 1])
        }
    }
}
