import Diagnostics
import Foundation
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import TestSupport
import Testing

/// A wrong PIN is tried once, whoever asks.
@Suite struct PINBudgetTests {
    private func logins(_ directory: TemporaryDirectory, _ name: String = "trace") throws -> Int {
        String(decoding: try directory.read(name), as: UTF8.self).split(separator: "\n").count {
            $0.contains("< C_Login")
        }
    }

    @Test("A refused PIN is not tried by a second store, nor after a restart, until the operator clears it")
    func acrossRestarts() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_Login, call: 1, returns: PIN_INCORRECT}"])
        let refusals = PINRefusalFile(path: card.directory.path("refusals"))
        let trace = try CallTrace(path: card.directory.path("trace"))
        let modules = ModuleRegistry(trace: trace)
        for _ in 0..<3 {
            let pin = CountedPIN(card.token.userPIN)
            let store = try await card.store(
                profile: profile("softhsm2"), pin: pin, isRepeatable: true, refusals: refusals, modules: modules)
            let error = await #expect(throws: KeyProviderError.self) { try await store.keyPairs() }
            #expect(error?.code == .wrongPIN || error?.code == .loginStopped)
            #expect(error?.failureClass == .authBlocked)
            #expect(error?.advice.contains { $0.sentence.contains("signet token unblock") } == true)
            #expect(store.health.state == .down)
            await store.close()
        }
        #expect(try self.logins(card.directory) == 1)
        let mode = try FileManager.default.attributesOfItem(atPath: refusals.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(!String(decoding: try card.directory.read("refusals"), as: UTF8.self).contains(card.token.userPIN))
        let token = try card.token.slot().tokenInfo().identification
        #expect(try refusals.refusal(for: token)?.count == 1)
        try refusals.clear(token)
        let store = try await card.store(
            profile: profile("softhsm2"), isRepeatable: true, refusals: refusals, modules: modules)
        #expect(try await store.keyPairs().isEmpty)
        await store.close()
    }

    @Test("Stores that start together try a wrong PIN once")
    func together() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: (1...9).map { "{function: C_Login, call: \($0), returns: PIN_INCORRECT}" })
        let refusals = PINRefusalFile(path: card.directory.path("refusals"))
        let modules = ModuleRegistry(trace: try CallTrace(path: card.directory.path("trace")))
        var stores: [TokenKeyStore] = []
        for _ in 0..<4 {
            stores.append(
                try await card.store(
                    profile: profile("softhsm2"), isRepeatable: true, refusals: refusals, modules: modules))
        }
        await withTaskGroup(of: Void.self) { group in
            for store in stores {
                group.addTask { await #expect(throws: KeyProviderError.self) { try await store.keyPairs() } }
            }
        }
        #expect(try self.logins(card.directory) == 1)
        for store in stores { await store.close() }
    }

    @Test("A PIN that is refused while a token is brought back is not tried again")
    func inRecovery() async throws {
        let card = try await SimulatedCard(
            profile: nil,
            faults: [
                "{function: C_SignInit, call: 2, returns: DEVICE_REMOVED}",
                "{function: C_Login, call: 2, returns: PIN_INCORRECT}",
            ])
        let trace = try CallTrace(path: card.directory.path("trace"))
        let store = try await card.store(profile: profile("softhsm2"), isRepeatable: true, trace: trace)
        let pair = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0))
        for _ in 0..<3 {
            await #expect(throws: KeyProviderError.of(.wrongPIN)) {
                try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
            }
        }
        #expect(store.health.state == .down)
        #expect(try self.logins(card.directory) == 2)
        await store.close()
    }

    @Test("After somebody's wrong PIN no program logs in by itself, and a person may")
    func countLow() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let wrong = try await run(
            [
                "pkcs11-tool", "--module", software.modulePath, "--token-label", software.label, "--login", "--pin",
                "000000", "-O",
            ], environment: software.environment)
        #expect(wrong.status != 0)
        let flags = try software.slot().tokenInfo().flags
        try #require(flags.contains(.userPINCountLow))
        let automatic = try await TokenKeyStore.open(
            software.configuration(), modules: ModuleRegistry(), pinPolicy: PINPolicy(isRepeatable: true),
            pin: CountedPIN(software.userPIN).source)
        await #expect(throws: KeyProviderError.of(.loginStopped)) { try await automatic.keyPairs() }
        await automatic.close()
        let person = try await software.store()
        #expect(try await person.keyPairs().isEmpty)
        await person.close()
    }

    @Test("A key that wants the PIN at each use gets it, each time anew")
    func alwaysAuthenticate() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let made = try await run(
            [
                "pkcs11-tool", "--module", software.modulePath, "--token-label", software.label, "--login", "--pin",
                software.userPIN, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "0a", "--label", "strict",
                "--always-auth", "--usage-sign",
            ], environment: software.environment)
        try #require(made.status == 0, "\(made.stderr)")
        let pin = CountedPIN(software.userPIN)
        let store = try await software.store(pin: pin)
        let pair = try #require(try await store.keyPairs().first)
        for uses in 1...2 {
            let signature = try await store.sign([9], with: pair.locator, algorithm: .ecdsa(.sha256))
            #expect(
                try await OpenSSL.verify(
                    signature, of: [9], hash: "sha256", subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
            #expect(pin.timesAsked == 1 + uses)
        }
        await store.close()
    }

    @Test("A memory of refused PINs that cannot be read stops the login")
    func damagedMemory() async throws {
        let directory = try TemporaryDirectory()
        let software = try await SoftwareToken.make(.softHSM)
        let store = try await TokenKeyStore.open(
            software.configuration(), modules: ModuleRegistry(),
            pinPolicy: PINPolicy(
                isRepeatable: true, refusals: PINRefusalFile(path: try directory.write("refusals", [0x78]))),
            pin: CountedPIN(software.userPIN).source)
        await #expect(throws: PINRefusalError.self) { try await store.keyPairs() }
        await store.close()
    }
}
