import Diagnostics
import Foundation
import PKCS11
import Synchronization
import TestSupport
import Testing

/// Tasks that run on the threads of a token.
@Suite struct ExecutorTests {
    private func token(
        _ executor: TokenExecutor, sessions: Int = 1, limits: TokenLimits = TokenLimits()
    ) async throws -> Token {
        let software = try await SoftwareToken.make(.softHSM)
        return try Token(slot: software.slot(), maximumSessions: sessions, limits: limits, executor: executor)
    }

    @Test("A task that prefers the executor calls the token on its own thread")
    func sameThread() async throws {
        let executor = TokenExecutor()
        let token = try await self.token(executor)
        try await withTaskExecutorPreference(executor) {
            for _ in 0..<100 {
                let outside = currentThread()
                let inside = try await token.withSession { session in
                    _ = try session.randomBytes(1)
                    return currentThread()
                }
                #expect(outside == inside)
                #expect(currentThread() == outside)
            }
        }
        let elsewhere = try await token.withSession { _ in currentThread() }
        #expect(elsewhere != currentThread())
        await token.close()
    }

    @Test("Many tasks share few threads of a token, and all of them come to their end", .timeLimit(.minutes(10)))
    func sharing() async throws {
        let executor = TokenExecutor()
        let token = try await self.token(executor, sessions: 2)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                // Every other task comes from elsewhere.
                group.addTask(executorPreference: number % 2 == 0 ? executor : nil) {
                    var bytes = 0
                    for _ in 0..<20 { bytes += try await token.withSession { try $0.randomBytes(2).count } }
                    return bytes
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 20 * 20 * 2)
        await token.close()
    }

    @Test("A call that hangs is given up, and its task goes on", .timeLimit(.minutes(10)))
    func hung() async throws {
        let executor = TokenExecutor()
        let token = try await self.token(executor, limits: TokenLimits(call: .milliseconds(100)))
        let gate = DispatchSemaphore(value: 0)
        let code = await withTaskExecutorPreference(executor) { () -> TokenWaitError.Code? in
            do {
                try await token.withSession { _ in gate.wait() }
                return nil
            } catch {
                return (error as? TokenWaitError)?.code
            }
        }
        #expect(code == .hung)
        #expect(token.abandonedThreads == 1)
        gate.signal()
        while token.abandonedThreads > 0 { try await Task.sleep(for: .milliseconds(5)) }
        await token.close()
    }

    @Test("When every thread hangs, tasks of the executor are told so on other threads", .timeLimit(.minutes(10)))
    func wedged() async throws {
        let executor = TokenExecutor()
        let token = try await self.token(executor, sessions: 2, limits: TokenLimits(call: .milliseconds(100)))
        let gate = DispatchSemaphore(value: 0)
        let codes = await withTaskGroup(of: TokenWaitError.Code?.self) { group in
            for _ in 0..<6 {
                group.addTask(executorPreference: executor) {
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
        #expect(codes.allSatisfy { $0 == .hung || $0 == .wedged })
        #expect(codes.count { $0 == .hung } >= 2)
        for _ in 0..<6 { gate.signal() }
        while token.abandonedThreads > 0 { try await Task.sleep(for: .milliseconds(5)) }
        let count = try await withTaskExecutorPreference(executor) {
            try await token.withSession(limit: .seconds(20)) { try $0.randomBytes(3).count }
        }
        #expect(count == 3)
        await token.close()
    }

    @Test("Tasks of the executor go on when the token is closed under them", .timeLimit(.minutes(10)))
    func closed() async throws {
        let executor = TokenExecutor()
        let token = try await self.token(executor)
        let works = Flag()
        let code = await withTaskGroup(of: TokenWaitError.Code?.self) { group in
            group.addTask(executorPreference: executor) {
                do {
                    while true {
                        try await token.withSession { _ = try $0.randomBytes(1) }
                        works.set()
                    }
                } catch {
                    return (error as? TokenWaitError)?.code
                }
            }
            while !works.isSet { await Task.yield() }
            await token.close()
            return await group.next() ?? nil
        }
        #expect(code == .closed)
    }
}

private func currentThread() -> UInt { UInt(pthread_self()) }

private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { self.value.load(ordering: .acquiring) }

    func set() { self.value.store(true, ordering: .releasing) }
}
