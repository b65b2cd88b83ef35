import DeviceProfiles
import Diagnostics
import Foundation
import KeyProvider
import PKCS11
import SecretMemory
import SimulatorControl
import TestSupport
import Testing

@testable import PKCS11KeyProvider

/// What devices are like beside their operations: few sessions, throttling, PIN pads, hanging calls, and
/// templates of their own.
@Suite struct DeviceHabitTests {
    private let specification = KeyPairSpecification(
        algorithm: .p256, role: .caSigning, label: "k", certificateBytes: 0)

    private func sign(_ store: TokenKeyStore, _ pair: TokenKeyPair) async throws {
        let signature = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        #expect(
            try await OpenSSL.verify(
                signature, of: [1], hash: "sha256", subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
    }

    @Test("A device with one session makes keys, stores certificates, signs, archives, and recovers from a failed call")
    func oneSession() async throws {
        let one = ["sessions.max": "1", "sessions.scope": "process", "sessions.over_rv": "SESSION_COUNT"]
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: one, faults: ["{function: C_Sign, call: 3, returns: DEVICE_ERROR}"])
        let trace = card.directory.path("trace")
        let store = try await card.store(
            profile: profile("softhsm2", overrides: one), isRepeatable: true, trace: CallTrace(path: trace))
        let model = try await OpenSSL.p256Certificate()
        let pair = try await store.generateKeyPair(self.specification)
        try await store.storeCertificate(
            model.certificate(for: pair.subjectPublicKeyInfo), for: pair.locator, label: "c")
        try await self.sign(store, pair)
        // The second signature fails; the session goes, and with it the login, and both come back.
        try await self.sign(store, pair)
        #expect(store.health.state == .up && store.health.recoveries > 0)
        let count = try await store.withTransientKeys { keys in
            let (outer, inner) = (try keys.generateSecretKey(.aes256), try keys.generateSecretKey(.aes256))
            return try keys.wrap(inner, under: outer, algorithm: .aesKeyWrapPadded).count
        }
        #expect(count == 40)
        #expect(try await store.stock().objects == 3)
        try await store.removeKeyPair(pair.locator)
        #expect(try await store.keyPairs().isEmpty)
        await store.close()
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        #expect(!calls.contains { $0.contains("CKR_SESSION_COUNT") }, "it never asked for a second session")
    }

    @Test("The number of sessions shrinks to what the device allows, and nothing fails for it")
    func shrinking() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["sessions.max": "3", "sessions.scope": "process"],
            faults: ["{function: C_GenerateRandom, every: 1, hang: 0.02}"])
        let store = try await card.store(profile: profile("softhsm2"), sessions: 8)
        try await store.logIn()
        #expect(store.health.sessionLimit == 8)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<40 { group.addTask { try await store.randomBytes(8).count } }
            for try await count in group { #expect(count == 8) }
        }
        // One of the three keeps the login.
        #expect(store.health.sessionLimit == 2)
        await store.close()
    }

    @Test(
        "A session is closed at two thirds of the time for which the device keeps it, and after a minute where that is unknown"
    )
    func idleLimits() throws {
        func idle(_ value: String) throws -> Duration? {
            try profile("softhsm2", overrides: ["sessions.idle_s": value]).limits(TokenDeadlines()).idleSession
        }
        #expect(try idle("30") == .seconds(20))
        #expect(try idle("1") == .nanoseconds(666_000_000))
        #expect(try idle("unknown") == .seconds(60))
        #expect(try idle("0") == nil)
    }

    @Test("The provider closes idle sessions by the time of the profile, and keeps the one of the login")
    func idleSessions() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let directory = try TemporaryDirectory()
        let time = StandingTime()
        var configuration = try software.configuration(
            profile: profile("softhsm2", overrides: ["sessions.idle_s": "3000"]))
        configuration.tokenClock = TokenClock { time.now }
        configuration.maximumSessions = 1
        let modules = ModuleRegistry(trace: try CallTrace(path: directory.path("trace")))
        let store = try await TokenKeyStore.open(
            configuration, modules: modules, pin: CountedPIN(software.userPIN).source)
        let pair = try await store.generateKeyPair(self.specification)
        func closed() throws -> Int {
            String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
                .count { $0.contains("< C_CloseSession ") }
        }
        let before = try closed()
        time.advance(seconds: 1999)
        try await self.sign(store, pair)
        #expect(try closed() == before)
        try await time.advance(seconds: 2001) { try closed() > before }
        // Still logged in, by the session that stays: the key is used without another login.
        try await self.sign(store, pair)
        #expect(try closed() == before + 1)
        let calls = String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
        #expect(calls.count { $0.contains("< C_Login ") } == 1)
        await store.close()
    }

    @Test("A device that is asked too much is asked again later, and the caller gets its signature")
    func throttled() async throws {
        let card = try await SimulatedCard(
            profile: nil,
            faults: (2...4).map { "{function: C_SignInit, call: \($0), returns: FUNCTION_REJECTED}" })
        let store = try await card.store(
            profile: profile("softhsm2", overrides: ["lifecycle.throttled_rv": "[FUNCTION_REJECTED]"]))
        let pair = try await store.generateKeyPair(self.specification)
        try await self.sign(store, pair)
        #expect(store.health.state == .up && store.health.recoveries == 0)
        await store.close()
    }

    @Test("A call that hangs in the module is given up; all who wait are answered, and the next signature is made")
    func hanging() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_Sign, call: 2, hang: 6}", "{function: C_Sign, call: 3, hang: 6}"])
        var deadlines = TokenDeadlines(profile: try profile("softhsm2"))
        deadlines.use = .seconds(2)
        let store = try await card.store(profile: profile("softhsm2"), deadlines: deadlines)
        let pair = try await store.generateKeyPair(self.specification)
        let codes = await withTaskGroup(of: KeyProviderError.Code?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        _ = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
                        return nil
                    } catch { return (error as? KeyProviderError)?.code }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.count == 8)
        #expect(codes.contains(.timedOut))
        #expect(codes.allSatisfy { $0 == nil || $0 == .timedOut })
        // A machine that has no time may need longer than the deadline; a signature comes for all that.
        var isSigned = false
        while !isSigned {
            do {
                _ = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
                isSigned = true
            } catch let error as KeyProviderError where error.code == .timedOut { continue }
        }
        await store.close()
    }

    @Test("After it was put into another slot the token is found there")
    func otherSlot() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_Sign, call: 2, effect: eject}"], rule: ["handles: own"],
            settings: ["control: control"])
        let store = try await card.store(profile: profile("softhsm2"), isRepeatable: true)
        let pair = try await store.generateKeyPair(self.specification)
        let before = store.identification.slotID
        await #expect(throws: KeyProviderError.self) {
            try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256))
        }
        let control = SimulatorControl(path: card.directory.path("control"))
        while true {
            do {
                try control.send(.insert(slot: 77))
                break
            } catch SimulatorControlError.unreachable {
                // Its thread has not come to the socket yet.
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        while store.health.state != .up { try await Task.sleep(for: .milliseconds(20)) }
        #expect(store.identification.slotID == 77 && before != 77)
        try await self.sign(store, pair)
        await store.close()
    }

    @Test("A PIN that is entered at the device is never asked for here")
    func pinPad() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let directory = try TemporaryDirectory()
        let pad = try await PINPad(around: software, in: directory)
        let pin = CountedPIN("not the PIN")
        let store = try await TokenKeyStore.open(
            TokenConfiguration(
                modulePath: pad.modulePath, profile: profile("softhsm2"),
                reference: KeyReference("pkcs11:token=signet%20test")),
            modules: ModuleRegistry(), pin: pin.source)
        let pair = try await store.generateKeyPair(self.specification)
        try await self.sign(store, pair)
        #expect(pin.timesAsked == 0)
        await store.close()
    }

    @Test("After a wrong entry at the device's PIN pad nobody is asked there again by the next request")
    func wrongEntryAtPINPad() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let directory = try TemporaryDirectory()
        let pad = try await PINPad(around: software, entering: "000000", in: directory)
        let trace = try CallTrace(path: directory.path("trace"))
        let store = try await TokenKeyStore.open(
            TokenConfiguration(
                modulePath: pad.modulePath, profile: profile("softhsm2"),
                reference: KeyReference("pkcs11:token=signet%20test")),
            modules: ModuleRegistry(trace: trace), pinPolicy: PINPolicy(isRepeatable: true),
            pin: CountedPIN("not the PIN").source)
        for _ in 0..<3 {
            let error = await #expect(throws: KeyProviderError.of(.wrongPIN)) { try await store.keyPairs() }
            #expect(error?.advice.contains { "\($0)".contains("at the device") } == true)
        }
        #expect(store.health.state == .down)
        let calls = String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
        #expect(calls.count { $0.contains("> C_Login") } == 1)
        await store.close()
    }

    @Test("The last try of a PIN is taken by nobody, neither a program nor a person at a prompt")
    func finalTry() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["login.tries": "3"])
        for _ in 0..<2 {
            let wrong = try await run(
                [
                    "pkcs11-tool", "--module", card.modulePath, "--token-label", card.token.label, "--login", "--pin",
                    "000000", "-O",
                ], environment: card.environment)
            #expect(wrong.status != 0)
        }
        for isRepeatable in [true, false] {
            let pin = CountedPIN(card.token.userPIN)
            let store = try await card.store(profile: profile("softhsm2"), pin: pin, isRepeatable: isRepeatable)
            let error = await #expect(throws: KeyProviderError.self) { try await store.keyPairs() }
            #expect(error?.code == .loginStopped)
            #expect(error?.reason.contains("one more wrong PIN would lock") == true)
            #expect(pin.timesAsked == 0)
            await store.close()
        }
        #expect(try await card.tool("-O").status == 0, "the PIN is not locked")
    }

    @Test("What a device requires and refuses holds for certificates and for the keys of one archival as well")
    func templates() async throws {
        let rules = ["template.require": "[MODIFIABLE=FALSE, SECRET_KEY.DERIVE=FALSE]", "template.refuse": "[VERIFY]"]
        let card = try await SimulatedCard(profile: "softhsm2", overrides: rules)
        let store = try await card.store(profile: profile("softhsm2", overrides: rules))
        let model = try await OpenSSL.p256Certificate()
        let pair = try await store.generateKeyPair(self.specification)
        try await store.storeCertificate(
            model.certificate(for: pair.subjectPublicKeyInfo), for: pair.locator, label: "c")
        let count = try await store.withTransientKeys { keys in
            let (outer, inner) = (try keys.generateSecretKey(.aes256), try keys.generateSecretKey(.aes256))
            return try keys.wrap(inner, under: outer, algorithm: .aesKeyWrapPadded).count
        }
        #expect(count == 40)
        await store.close()
        // Whoever does not know the rules of the card is refused by it.
        let ignorant = try await card.store(profile: profile("softhsm2"))
        await #expect(throws: KeyProviderError.self) { try await ignorant.generateKeyPair(self.specification) }
        await #expect(throws: KeyProviderError.self) {
            try await ignorant.withTransientKeys { _ = try $0.generateSecretKey(.aes256) }
        }
        await ignorant.close()
    }

    @Test("A failed call is told with the vendor's name of its code, the device's likely cause and the next command")
    func vendorCode() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_GenerateRandom, every: 1, returns: 0x80000007}"])
        let store = try await card.store(profile: profile("luna-7"))
        let error = try await #require(throws: KeyProviderError.self) { try await store.randomBytes(4) }
        #expect(error.headline.contains("CKR_USER_LOCKED_OUT (0x80000007)"))
        let lines = ErrorReport(error).lines
        #expect(lines.contains("call: C_GenerateRandom returned CKR_USER_LOCKED_OUT (0x80000007)"))
        #expect(lines.last == "next: signet token doctor --token-file TOKEN.yaml")
        await store.close()
    }

    @Test("The cause of a full card is the device's own, and that of another function is not")
    func causes() throws {
        let card = try profile("generic-32k-smartcard")
        let failure = { (function: String) in
            card.explained(TokenFailure(function: function, returnValue: .generalError))
        }
        #expect(failure("C_CreateObject").likelyCause?.hasPrefix("On generic-32k-smartcard, ") == true)
        #expect(failure("C_Sign").deviceCause == nil)
        #expect(failure("C_Sign").likelyCause == "The module has a fault.")
        // No token is reached, so that none can be full.
        #expect(failure("C_Initialize").likelyCause?.hasPrefix("The module found no configuration that") == true)
    }
}
