import CertificateAuthority
import Foundation
import PKIMessages
import SQLiteStorage
import SecretMemory
import Synchronization
import TestSupport
import Testing

@testable import EnrollmentWeb

@Suite("Password checks")
struct PasswordTests {
    private let clock = FixedClock()
    private let storage: SQLiteStorage
    private let authenticator: PasswordAuthenticator

    init() async throws {
        self.storage = try SQLiteStorage(inMemoryNamed: "users")
        let surroundings = Surroundings(
            now: { [clock] in Date(timeIntervalSince1970: TimeInterval(clock.now)) },
            randomBytes: { count in (0..<count).map { _ in UInt8.random(in: 0...255) } })
        // The fewest rounds, so that the tests do not wait for the hash.
        self.authenticator = try PasswordAuthenticator(storage: self.storage, surroundings: surroundings, rounds: 1000)
        try await self.setPassword("right", of: "CORP\\alice", roles: [.enrollee])
    }

    private func setPassword(_ password: String, of user: String, roles: Set<Role>) async throws {
        let hash = try PasswordHash.make(password: SecretBytes(copying: Array(password.utf8)), rounds: 1000)
        try await self.storage.write { try $0.upsert(UserRecord(name: user, passwordHash: hash, roles: roles)) }
    }

    private func check(_ user: String, _ password: String) async throws -> Principal? {
        try await self.authenticator.authenticate(user: user, password: SecretBytes(copying: Array(password.utf8)))
    }

    @Test("The right password gives the user with the roles of this moment, a wrong one and an unknown user nothing")
    func rightAndWrong() async throws {
        #expect(try await check("CORP\\alice", "right") == Principal(name: "CORP\\alice", roles: [.enrollee]))
        #expect(try await check("CORP\\alice", "wrong") == nil)
        #expect(try await check("CORP\\alice", "") == nil)
        #expect(try await check("nobody", "right") == nil)
        try await self.setPassword("right", of: "CORP\\alice", roles: [.enrollee, .reader])
        #expect(try await check("CORP\\alice", "right")?.roles == [.enrollee, .reader])
    }

    @Test("A changed password holds at once, although the old one was verified a moment ago")
    func changed() async throws {
        #expect(try await check("CORP\\alice", "right") != nil)
        try await self.setPassword("new", of: "CORP\\alice", roles: [])
        #expect(try await check("CORP\\alice", "right") == nil)
        #expect(try await check("CORP\\alice", "new") != nil)
    }

    @Test("A removed user, a changed group and role separation hold at once for who was here a moment ago")
    func changedRoles() async throws {
        #expect(try await check("CORP\\alice", "right")?.groups == [])
        let group = GroupRecord(name: "staff", roles: [.reader], members: ["CORP\\alice"])
        try await self.storage.write { try $0.upsert(group) }
        #expect(try await check("CORP\\alice", "right")?.groups == ["staff"])
        #expect(try await check("CORP\\alice", "right")?.roles == [.enrollee, .reader])
        try await self.storage.write { try $0.setSetting(RoleSettings.separation, to: RoleSettings.on) }
        #expect(try await check("CORP\\alice", "right")?.isRoleSeparationEnforced == true)
        _ = try await self.storage.write { try $0.removeUser(named: "CORP\\alice") }
        #expect(try await check("CORP\\alice", "right") == nil)
    }

    @Test("Who comes while a read runs shares the next one, and gets what was read after they came")
    func sharedReads() async throws {
        let (gate, opened) = AsyncStream<Void>.makeStream()
        let reads = Counter()
        let shared = SharedRead<Int> {
            let number = reads.next()
            if number == 1 { for await _ in gate { break } }
            return number
        }
        async let first = shared.value()
        while reads.count == 0 { await Task.yield() }
        async let others = withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await shared.value() } }
            while shared.waiting < 20 { await Task.yield() }
            opened.finish()
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(try await first == 1)
        #expect(try await others == [2])
        #expect(try await shared.value() == 3)
    }

    @Test("A read that fails fails for all who shared it, and the next one is made")
    func failedRead() async throws {
        let reads = Counter()
        let shared = SharedRead<Int> {
            let number = reads.next()
            guard number > 1 else { throw EnrollmentWebError.busy }
            return number
        }
        await #expect(throws: EnrollmentWebError.busy) { try await shared.value() }
        #expect(try await shared.value() == 2)
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { self.value.withLock { $0 } }

        func next() -> Int {
            self.value.withLock { value in
                value += 1
                return value
            }
        }
    }

    @Test("After wrong passwords a name waits, an unknown one too; who was verified before does not")
    func throttling() async throws {
        #expect(try await check("CORP\\alice", "right") != nil)
        for user in ["CORP\\alice", "nobody"] {
            for _ in 0..<FailedAttempts.freeAttempts { #expect(try await check(user, "wrong") == nil) }
            let error = await #expect(throws: EnrollmentWebError.tooManyAttempts(retryAfter: 0)) {
                _ = try await check(user, "wrong")
            }
            #expect(error?.retryAfter == 1)
        }
        #expect(try await check("CORP\\alice", "right") != nil)
        self.clock.advance(by: 1)
        #expect(try await check("nobody", "wrong") == nil)
        let error = await #expect(throws: EnrollmentWebError.tooManyAttempts(retryAfter: 0)) {
            _ = try await check("nobody", "wrong")
        }
        #expect(error?.retryAfter == 2)
    }

    @Test("Many connections with the same credentials share one check")
    func together() async throws {
        let results = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 { group.addTask { try await self.check("CORP\\alice", "right") != nil } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == Array(repeating: true, count: 40))
    }

    @Test("The wait doubles up to a minute, and is forgotten after a quarter of an hour")
    func waits() {
        var attempts = FailedAttempts()
        var now = Date(timeIntervalSince1970: 0)
        var waits: [Int] = []
        for _ in 0..<14 {
            attempts.begin("a", at: now)
            waits.append(attempts.wait(for: "a", at: now))
        }
        #expect(waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
        now += FailedAttempts.memory
        attempts.begin("a", at: now)
        #expect(attempts.wait(for: "a", at: now) == 0)
    }

    @Test("Names without end do not fill the memory")
    func bounded() {
        var attempts = FailedAttempts()
        let start = Date(timeIntervalSince1970: 0)
        for index in 0..<(FailedAttempts.maximumNames * 2) {
            attempts.begin("user \(index)", at: start.addingTimeInterval(Double(index) / 100))
        }
        #expect(attempts.count <= FailedAttempts.maximumNames)
        var verified = VerifiedCredentials()
        for index in 0..<(VerifiedCredentials.maximumEntries * 2) {
            verified.insert([UInt8(index & 255), UInt8(index >> 8)], at: start)
        }
        #expect(verified.count <= VerifiedCredentials.maximumEntries)
        #expect(
            verified.contains([255, 7], at: start)
                && !verified.contains([255, 7], at: start + VerifiedCredentials.lifetime))
    }

    @Test("Work over the limit is refused at once")
    func lanes() async throws {
        let lanes = BlockingLanes(label: "test", count: 1, maximumWaiting: 2)
        let gate = DispatchSemaphore(value: 0)
        async let first: Void = lanes.run { gate.wait() }
        async let second: Void = lanes.run { gate.wait() }
        while lanes.waiting < 2 { await Task.yield() }
        await #expect(throws: EnrollmentWebError.busy) { try await lanes.run {} }
        gate.signal()
        gate.signal()
        _ = try await (first, second)
        #expect(try await lanes.run { 7 } == 7)
    }

    @Test("A header's user and password are split at the first colon; ISO 8859-1 names are understood")
    func credentials() throws {
        func read(_ bytes: [UInt8]) throws -> BasicCredentials? {
            try BasicCredentials(authorization: "basic " + Data(bytes).base64EncodedString())
        }
        let plain = try #require(try read(Array("a\\b:c:d".utf8)))
        #expect(plain.user == "a\\b")
        #expect(try plain.password.matches(SecretBytes(copying: Array("c:d".utf8))))
        #expect(try read([0xE4, 0x3A, 0x78])?.user == "ä")
        #expect(try read(Array("ä:x".utf8))?.user == "ä")
        #expect(try read(Array(":x".utf8)) == nil && read([]) == nil && read([0x41, 0x0A, 0x3A]) == nil)
        #expect(try read([UInt8](repeating: 0x41, count: 257) + [0x3A]) == nil)
        #expect(try read([0x41, 0x3A] + [UInt8](repeating: 0x41, count: 1025)) == nil)
    }
}
