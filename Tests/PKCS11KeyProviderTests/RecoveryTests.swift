import DeviceProfiles
import Diagnostics
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import TestSupport
import Testing

/// Tokens that go away and come back: the ladder, and what is told of it.
@Suite struct RecoveryTests {
    private func key(_ store: TokenKeyStore) async throws -> TokenKeyPair {
        try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
    }

    private func faults(_ function: String, _ calls: ClosedRange<Int>, _ value: String) -> [String] {
        calls.map { "{function: \(function), call: \($0), returns: \(value)}" }
    }

    /// Beyond the first signature, which proves the key.
    private func failingSignatures(_ count: Int, _ value: String) -> [String] {
        self.faults("C_SignInit", 2...(1 + count), value)
    }

    @Test(
        "A token that was lost is brought back for a signature, and the health tells it",
        arguments: [
            (1, "SESSION_CLOSED"), (2, "SESSION_HANDLE_INVALID"), (3, "SESSION_HANDLE_INVALID"),
            (1, "USER_NOT_LOGGED_IN"), (1, "DEVICE_REMOVED"), (2, "TOKEN_NOT_PRESENT"), (1, "DEVICE_ERROR"),
            (2, "DEVICE_ERROR"), (1, "CRYPTOKI_NOT_INITIALIZED"),
        ])
    func broughtBack(failures: Int, value: String) async throws {
        let card = try await SimulatedCard(profile: nil, faults: self.failingSignatures(failures, value))
        let pin = CountedPIN(card.token.userPIN)
        let store = try await card.store(profile: profile("softhsm2"), pin: pin, isRepeatable: true)
        let pair = try await self.key(store)
        #expect(store.health.state == .up && store.health.cause == nil)
        let signature = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        #expect(
            try await OpenSSL.verify(
                signature, of: [1], hash: "sha256", subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
        let health = store.health
        #expect(health.state == .up)
        #expect(health.recoveries == failures)
        #expect(health.cause?.tokenFailure?.returnValue.name == "CKR_" + value)
        await store.close()
    }

    @Test("The module itself is initialised again when nothing else helps, and the key is found again")
    func lastRung() async throws {
        let card = try await SimulatedCard(profile: nil, faults: self.failingSignatures(4, "SESSION_HANDLE_INVALID"))
        let trace = try CallTrace(path: card.directory.path("trace"))
        let store = try await card.store(profile: profile("softhsm2"), isRepeatable: true, trace: trace)
        let pair = try await self.key(store)
        _ = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        let text = String(decoding: try card.directory.read("trace"), as: UTF8.self)
        for rung in ["open new sessions", "log in again", "look for the token", "initialise the module again"] {
            #expect(text.contains("# recovery: \(rung)"))
        }
        #expect(text.split(separator: "\n").count { $0.contains("< C_Initialize") } == 2)
        await store.close()
    }

    @Test("A module is not taken from another token that works")
    func sharedModule() async throws {
        let card = try await SimulatedCard(profile: nil, faults: self.faults("C_SignInit", 2...9, "SESSION_CLOSED"))
        let modules = ModuleRegistry()
        let store = try await card.store(profile: profile("softhsm2"), isRepeatable: true, modules: modules)
        let other = try await card.store(profile: profile("softhsm2"), isRepeatable: true, modules: modules)
        let pair = try await self.key(store)
        _ = try await other.keyPairs()
        await #expect(throws: KeyProviderError.self) {
            try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        }
        #expect(try await other.keyPairs() == [pair])
        await store.close()
        await other.close()
    }

    @Test("A PIN that needs a person is not asked for again, until the person says so")
    func promptedPIN() async throws {
        let card = try await SimulatedCard(profile: nil, faults: self.failingSignatures(1, "USER_NOT_LOGGED_IN"))
        let pin = CountedPIN(card.token.userPIN)
        let store = try await card.store(profile: profile("softhsm2"), pin: pin)
        let pair = try await self.key(store)
        await #expect(throws: KeyProviderError.of(.pinUnavailable)) {
            try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        }
        #expect(store.health.state == .down)
        #expect(pin.timesAsked == 1)
        try await store.logIn()
        #expect(pin.timesAsked == 2)
        _ = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        #expect(store.health.state == .up)
        await store.close()
    }

    @Test("A failure that would come again is not repeated", arguments: ["MECHANISM_INVALID", "DATA_LEN_RANGE"])
    func notRepeated(value: String) async throws {
        let card = try await SimulatedCard(profile: nil, faults: self.failingSignatures(1, value))
        let store = try await card.store(profile: profile("softhsm2"), isRepeatable: true)
        let pair = try await self.key(store)
        let error = await #expect(throws: KeyProviderError.self) {
            try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        }
        #expect(error?.failureClass == (value == "MECHANISM_INVALID" ? .unsupported : .badRequest))
        #expect(store.health.state == .up && store.health.recoveries == 0)
        await store.close()
    }

    @Test("A token that stays away is down, its callers are told at once, and it comes back by itself")
    func downAndBack() async throws {
        // The finder's calls fail while the token is out.
        let away = self.failingSignatures(1, "DEVICE_REMOVED") + self.faults("C_GetSlotList", 2...7, "DEVICE_ERROR")
        let card = try await SimulatedCard(profile: nil, faults: away)
        let store = try await card.store(profile: profile("softhsm2"), isRepeatable: true)
        var seen: [TokenHealth.State] = []
        let changes = store.healthChanges()
        let pair = try await self.key(store)
        await #expect(throws: KeyProviderError.self) {
            try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        }
        #expect(store.health.state == .down)
        for await health in changes {
            seen.append(health.state)
            if health.state == .up && seen.contains(.down) { break }
        }
        #expect(seen.first == .up && seen.contains(.degraded))
        _ = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        await store.close()
    }

    private func verifies(_ signature: [UInt8], _ pair: TokenKeyPair) async throws -> Bool {
        try await OpenSSL.verify(
            signature, of: [1], hash: "sha256", subjectPublicKeyInfo: pair.subjectPublicKeyInfo)
    }

    @Test("A handle from before a card was put back, which names another key now, signs nothing")
    func staleHandle() async throws {
        // Both keys are proven, and sign; before the next signature the card is pulled and put back.
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_SignInit, call: 5, effect: reinsert}"],
            rule: ["stale_handles: another-key"])
        let store = try await card.store(profile: profile("softhsm2"), isRepeatable: true)
        let meant = try await self.key(store)
        let other = try await self.key(store)
        for pair in [meant, other] {
            #expect(try await self.verifies(store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256)), pair))
        }
        #expect(store.health.recoveries == 0)
        for pair in [meant, other] {
            #expect(try await self.verifies(store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256)), pair))
        }
        #expect(store.health.recoveries >= 1)
        await store.close()
    }

    @Test("A store whose sessions were closed as idle sees that the card was away, though another one has logged in")
    func staleHandleOfAnotherStore() async throws {
        // Two keys are proven, and one signs; the next signature, of the other store, sees the card pulled and put back.
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_SignInit, call: 4, effect: reinsert}"],
            rule: ["stale_handles: another-key"])
        let trace = try CallTrace(path: card.directory.path("trace"))
        let (modules, time) = (ModuleRegistry(trace: trace), StandingTime())
        let first = try await card.store(
            profile: profile("softhsm2"), isRepeatable: true, modules: modules, clock: TokenClock { time.now })
        let second = try await card.store(profile: profile("softhsm2"), isRepeatable: true, modules: modules)
        let (meant, other) = (try await self.key(first), try await self.key(second))
        #expect(
            try await self.verifies(first.sign([1], with: meant.locator, algorithm: .ecdsa(.sha256)), meant))
        func closed() throws -> Int {
            String(decoding: try card.directory.read("trace"), as: UTF8.self).split(separator: "\n")
                .count { $0.contains("< C_CloseSession ") }
        }
        let before = try closed()
        try await time.advance(seconds: 3600) { try closed() > before }
        #expect(
            try await self.verifies(second.sign([1], with: other.locator, algorithm: .ecdsa(.sha256)), other))
        #expect(second.health.recoveries >= 1 && first.health.recoveries == 0)
        #expect(
            try await self.verifies(first.sign([1], with: meant.locator, algorithm: .ecdsa(.sha256)), meant))
        #expect(first.health.recoveries >= 1)
        await first.close()
        await second.close()
    }

    @Test("A handle that names another key without a word signs wrongly until handles are distrusted")
    func distrust() async throws {
        // The first use of the key proves it.
        let fault = "{function: C_SignInit, call: 3, key: {label: k}, effect: another-key}"
        let card = try await SimulatedCard(profile: nil, faults: [fault], rule: ["handles: same"])
        let store = try await card.store(profile: profile("softhsm2"))
        let other = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "other", certificateBytes: 0))
        let meant = try await self.key(store)
        let sign = { try await store.sign([1], with: meant.locator, algorithm: .ecdsa(.sha256)) }
        #expect(try await self.verifies(sign(), meant))
        for _ in 0..<2 { #expect(try await self.verifies(sign(), other)) }
        #expect(await store.distrustHandles(afterUseOf: meant.locator) == .changed)
        #expect(try await self.verifies(sign(), meant))
        #expect(await store.distrustHandles(afterUseOf: meant.locator) == .right)
        #expect(store.health.state == .up && store.health.recoveries == 0)
        try await store.removeKeyPair(other.locator)
        let finding = await store.distrustHandles(afterUseOf: other.locator)
        if case .keyNotFound(let reason) = finding { #expect(!reason.isEmpty) } else { Issue.record("\(finding)") }
        await store.close()
    }

    @Test("Signatures that are under way when handles are distrusted are made all the same")
    func distrustUnderLoad() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let store = try await software.store()
        let pair = try await self.key(store)
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for number in 0..<120 {
                if number.isMultiple(of: 10) { _ = await store.distrustHandles(afterUseOf: pair.locator) }
                group.addTask { try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256)) }
            }
            for try await signature in group { #expect(!signature.isEmpty) }
        }
        #expect(try await self.verifies(store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256)), pair))
        await store.close()
    }

    @Test("Codes are classed by operation and profile as well")
    func classes() throws {
        let card = try profile("generic-32k-smartcard")
        let hsm = try profile("aws-cloudhsm")
        #expect(FailureClass.of(.generalError, function: "C_GenerateKeyPair", profile: card) == .capacity)
        #expect(FailureClass.of(.generalError, function: "C_Sign", profile: card) == .ambiguous)
        #expect(FailureClass.of(.deviceMemory, function: "C_Sign") == .ambiguous)
        #expect(FailureClass.of(.deviceMemory, function: "C_CreateObject") == .capacity)
        #expect(FailureClass.of(.sessionCount, function: "C_OpenSession") == .capacity)
        #expect(FailureClass.of(.pinIncorrect, function: "C_Login") == .authBlocked)
        #expect(FailureClass.of(.userNotLoggedIn, function: "C_Sign") == .authLost)
        #expect(FailureClass.of(ReturnValue(rawValue: 0x8000_0001), function: "C_Sign") == .ambiguous)
        for value in hsm.lifecycle.throttled.value ?? [] {
            #expect(FailureClass.of(value, function: "C_Sign", profile: hsm) == .throttled)
        }
    }
}
