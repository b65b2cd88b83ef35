import Diagnostics
import Foundation
import PKCS11
import Synchronization
import TestSupport
import Testing

/// Calls that do not return: who waits gets an answer.
@Suite struct DeadlineTests {
    @Test("Who waits for a call that hangs is told, the thread is counted, and another one does the next work")
    func hung() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let token = try Token(
            slot: software.slot(), maximumSessions: 1, limits: TokenLimits(call: .milliseconds(100)))
        let gate = DispatchSemaphore(value: 0)
        let late = DispatchSemaphore(value: 0)
        let error = await #expect(throws: TokenWaitError.self) {
            try await token.withSession(late: { _ in late.signal() }) { _ in gate.wait() }
        }
        #expect(error?.code == .hung)
        #expect(token.abandonedThreads == 1)
        #expect(try await token.withSession(limit: .seconds(20)) { try $0.randomBytes(4).count } == 4)
        gate.signal()
        // What came back too late is undone.
        while late.wait(timeout: .now()) == .timedOut { try await Task.sleep(for: .milliseconds(5)) }
        while token.abandonedThreads > 0 { try await Task.sleep(for: .milliseconds(5)) }
        await token.close()
    }

    @Test("When too many calls hang, further callers are told at once, and it ends when the calls return")
    func wedged() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let token = try Token(
            slot: software.slot(), maximumSessions: 2, limits: TokenLimits(call: .milliseconds(100)))
        let gate = DispatchSemaphore(value: 0)
        let codes = await withTaskGroup(of: TokenWaitError.Code?.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    do {
                        try await token.withSession { _ in gate.wait() }
                        return nil
                    } catch {
                        return (error as? TokenWaitError)?.code
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        // How many threads were given up before the token counts as wedged depends on who came first; at least two.
        #expect(codes.allSatisfy { $0 == .hung || $0 == .wedged })
        #expect(codes.count { $0 == .hung } >= 2)
        #expect(codes.contains(.wedged))
        // Whoever hangs gets a signal; one for each caller is enough for all.
        for _ in 0..<6 { gate.signal() }
        while token.abandonedThreads > 0 { try await Task.sleep(for: .milliseconds(5)) }
        try await token.withSession(limit: .seconds(20)) { _ in }
        await token.close()
    }

    @Test("Work that gets no thread in time is refused, and nothing was called")
    func busy() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let token = try Token(
            slot: software.slot(), maximumSessions: 1,
            limits: TokenLimits(call: .milliseconds(400), queue: .milliseconds(50)))
        let gate = DispatchSemaphore(value: 0)
        let inside = DispatchSemaphore(value: 0)
        let first = Task {
            try await token.withSession(limit: .seconds(120)) { _ in
                inside.signal()
                gate.wait()
            }
        }
        while inside.wait(timeout: .now()) == .timedOut { try await Task.sleep(for: .milliseconds(5)) }
        let error = await #expect(throws: TokenWaitError.self) {
            try await token.withSession { _ in Issue.record("it was called") }
        }
        #expect(error?.code == .busy)
        gate.signal()
        try await first.value
        await token.close()
    }

    @Test("A session that was idle for its time is closed before the device does it, and opened again; not sooner")
    func idle() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let directory = try TemporaryDirectory()
        let trace = try CallTrace(path: directory.path("trace"))
        let module = try Module(path: software.modulePath, trace: trace)
        let slot = try #require(try module.slots().first { try $0.tokenInfo().identification.label == software.label })
        let time = StandingTime()
        let token = try Token(
            slot: slot, maximumSessions: 1, limits: TokenLimits(idleSession: .seconds(20)),
            clock: TokenClock { time.now })
        func count(_ function: String) throws -> Int {
            String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
                .count { $0.contains("< \(function) ") }
        }
        try await token.withSession { _ in }
        time.advance(seconds: 19)
        try await token.withSession { _ in }
        time.advance(seconds: 19)
        try await token.withSession { _ in }
        #expect(try (count("C_OpenSession"), count("C_CloseSession")) == (1, 0))
        // Closed by itself, not when it is wanted next.
        try await time.advance(seconds: 21) { try count("C_CloseSession") > 0 }
        try await token.withSession { _ in }
        #expect(try count("C_OpenSession") == 2)
        await token.close()
    }

    @Test("Work with handles of sessions that were given up is refused, and nothing is called")
    func outdated() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let token = try software.open(maximumSessions: 1)
        let epoch = token.epoch
        #expect(try await token.withSession(epoch: epoch) { try $0.randomBytes(4).count } == 4)
        token.discardSessions()
        let error = await #expect(throws: TokenWaitError.self) {
            try await token.withSession(epoch: epoch) { _ in Issue.record("it was called") }
        }
        #expect(error?.code == .outdated)
        #expect(error?.hresult == .operationAborted)
        #expect(try await token.withSession(epoch: token.epoch) { try $0.randomBytes(4).count } == 4)
        await token.close()
    }

    @Test("The trace has every call with its handles and its answer, and no PIN")
    func trace() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let directory = try TemporaryDirectory()
        let module = try Module(path: software.modulePath, trace: try CallTrace(path: directory.path("trace")))
        let slot = try #require(try module.slots().first { try $0.tokenInfo().identification.label == software.label })
        let token = try Token(slot: slot, maximumSessions: 1)
        let pin = Array(software.userPIN.utf8)
        try await token.login { use in pin.withUnsafeBytes { use($0) } }
        await token.close()
        let text = String(decoding: try directory.read("trace"), as: UTF8.self)
        let login = try #require(text.split(separator: "\n").first { $0.contains("< C_Login") })
        #expect(login.contains(" session=") && login.contains("CKR_OK") && login.hasSuffix(" ms"))
        #expect(!text.contains(software.userPIN))
        let mode = try FileManager.default.attributesOfItem(atPath: directory.path("trace"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }
}
