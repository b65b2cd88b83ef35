import Diagnostics
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import Synchronization
import TestSupport
import Testing

@Suite struct WaitingTests {
    private final class Told: Sendable {
        private let all = Mutex<[TokenWaiting.Progress]>([])
        func add(_ progress: TokenWaiting.Progress) { self.all.withLock { $0.append(progress) } }
        var list: [TokenWaiting.Progress] { self.all.withLock { $0 } }
    }

    @Test("A wrong card is named, and the wait goes on until the right one comes")
    func wrongThenRight() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let configuration = try software.configuration(reference: "pkcs11:token=the%20other")
        let told = Told()
        let waiting = TokenWaiting(configuration, modules: ModuleRegistry(), interval: .milliseconds(20))
        #expect(try waiting.wanted == "\"the other\"")
        let found = Task { try await waiting.wait { told.add($0) } }
        while told.list.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        let here = try software.slot().tokenInfo().identification
        #expect(told.list == [.wrongToken(here, wanted: "\"the other\"")])
        let module = try Module(path: software.modulePath)
        let empty = try #require(try module.slots().first { try !$0.tokenInfo().flags.contains(.tokenInitialized) })
        try Array("87654321".utf8).withUnsafeBytes {
            try empty.initializeToken(securityOfficerPIN: $0, label: "the other")
        }
        #expect(try await found.value.label == "the other")
        #expect(told.list.count == 2)
    }

    @Test("The wait can be cancelled")
    func cancelled() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let configuration = try software.configuration(reference: "pkcs11:token=never")
        let told = Told()
        let waiting = TokenWaiting(configuration, modules: ModuleRegistry(), interval: .seconds(60))
        let task = Task { try await waiting.wait { told.add($0) } }
        while told.list.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
