import DeviceProfiles
import Diagnostics
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory
import TestSupport
import Testing

@Suite struct OpeningTests {
    private let unused: PINSource = { throw KeyProviderError.of(.pinUnavailable) }

    @Test(
        "A reference that is not a pkcs11: URI is refused by name, and never read as a file",
        arguments: ["/etc/passwd", "file:///key.pem", "PKCS11:token=a", ""])
    func notAReference(text: String) throws {
        let error = try #require(throws: KeyProviderError.self) { try KeyReference(text) }
        #expect(error.code == .notATokenReference)
        #expect(error.headline.contains(text))
    }

    @Test("A PIN in the reference is refused and is not in the error")
    func pinValue() async throws {
        try await withSoftHSM { software in
            let configuration = try software.configuration(reference: "pkcs11:token=signet%20test?pin-value=271828")
            let error = try await #require(throws: KeyProviderError.self) {
                try await TokenKeyStore.open(configuration, modules: ModuleRegistry(), pin: self.unused)
            }
            #expect(error.code == .invalidReference)
            #expect(!ErrorReport(error).lines.dropFirst().joined().contains("271828"))
        }
    }

    @Test("A module that cannot be loaded says its path and the loader's reason")
    func wrongModule() async throws {
        let configuration = TokenConfiguration(
            modulePath: "/nonexistent/p11.so", profile: DeviceProfile(name: "x", summary: "x"),
            reference: try KeyReference("pkcs11:token=a"))
        let error = try await #require(throws: KeyProviderError.self) {
            try await TokenKeyStore.open(configuration, modules: ModuleRegistry(), pin: self.unused)
        }
        #expect(error.code == .moduleNotLoaded)
        #expect(error.hresult == .moduleNotFound)
        #expect(error.headline.contains("/nonexistent/p11.so"))
    }

    @Test("A module that hangs when it is initialised is given up, and keeps neither others nor the end from coming")
    func hangingModule() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let directory = try TemporaryDirectory()
        let hanging = try await HangingModule(in: directory)
        let modules = ModuleRegistry()
        let configuration = TokenConfiguration(
            modulePath: hanging.path, profile: DeviceProfile(name: "x", summary: "x"),
            reference: try KeyReference("pkcs11:token=a"),
            deadlines: TokenDeadlines(reinitialize: .milliseconds(50)))
        await #expect(throws: KeyProviderError.of(.timedOut)) {
            try await TokenKeyStore.open(configuration, modules: modules, pin: self.unused)
        }
        await #expect(throws: KeyProviderError.of(.timedOut)) {
            _ = try await TokenWaiting(configuration, modules: modules).wait { _ in }
        }
        let store = try await TokenKeyStore.open(
            software.configuration(), modules: modules, pin: CountedPIN(software.userPIN).source)
        #expect(try await store.keyPairs().isEmpty)
        await store.close()
        modules.finalizeAll()
        try hanging.release()
    }

    @Test("A token that is not there is an error that names those that are")
    func notFound() async throws {
        try await withSoftHSM { software in
            let configuration = try software.configuration(reference: "pkcs11:token=absent")
            let error = try await #require(throws: KeyProviderError.self) {
                try await TokenKeyStore.open(configuration, modules: ModuleRegistry(), pin: self.unused)
            }
            #expect(error.code == .tokenNotFound)
            #expect(error.hresult.rawValue == 0x8010_000C)
            #expect(error.facts.contains { $0.value.contains("signet test") })
        }
    }

    @Test("Two tokens that fit are an error until the serial number is given")
    func ambiguous() async throws {
        try await withSoftHSM { software in
            let module = try Module(path: software.modulePath)
            let empty = try #require(
                try module.slots().first { try !$0.tokenInfo().flags.contains(.tokenInitialized) })
            try Array("87654321".utf8).withUnsafeBytes {
                try empty.initializeToken(securityOfficerPIN: $0, label: software.label)
            }
            let configuration = try software.configuration()
            let error = try await #require(throws: KeyProviderError.self) {
                try await TokenKeyStore.open(configuration, modules: ModuleRegistry(), pin: self.unused)
            }
            #expect(error.code == .tokenAmbiguous)
            let serial = try software.slot().tokenInfo().identification.serialNumber
            let exact = try software.configuration(reference: "pkcs11:token=signet%20test;serial=\(serial)")
            let store = try await TokenKeyStore.open(exact, modules: ModuleRegistry(), pin: self.unused)
            #expect(store.identification.serialNumber == serial)
        }
    }

    @Test("The PIN is asked for once, and a refused one is remembered", arguments: SoftwareToken.Kind.allCases)
    func wrongPIN(kind: SoftwareToken.Kind) async throws {
        let software = try await SoftwareToken.make(kind)
        let pin = CountedPIN("wrong1")
        let store = try await software.store(pin: pin)
        for _ in 0..<3 {
            let error = await #expect(throws: KeyProviderError.self) { try await store.keyPairs() }
            #expect(error?.code == .wrongPIN)
            #expect(error?.hresult.rawValue == 0x8010_006B)
            #expect(error.map { ErrorReport($0).lines.joined().contains("wrong1") } == false)
        }
        #expect(pin.timesAsked == 1)
        await store.close()
    }

    @Test("A refused PIN reaches the token exactly once")
    func onePINTry() async throws {
        // The card refuses the first login whatever the PIN; a second one would succeed.
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_Login, call: 1, returns: PIN_INCORRECT}"])
        let store = try await card.store(profile: profile("softhsm2"))
        for _ in 0..<3 {
            await #expect(throws: KeyProviderError.of(.wrongPIN)) { try await store.keyPairs() }
        }
        await store.close()
    }

    @Test("Many first uses at once ask for the PIN once")
    func onePrompt() async throws {
        try await withSoftHSM { software in
            let pin = CountedPIN(software.userPIN)
            let store = try await software.store(pin: pin)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try await store.keyPairs() } }
                try await group.waitForAll()
            }
            #expect(pin.timesAsked == 1)
            await store.close()
        }
    }

    @Test("A PIN source that fails is pinUnavailable, with its own advice")
    func noPIN() async throws {
        try await withSoftHSM { software in
            let store = try await TokenKeyStore.open(
                software.configuration(), modules: ModuleRegistry(),
                pin: { throw PKCS11Error(returnValue: .cancel, function: "prompt") })
            await #expect(throws: KeyProviderError.of(.pinUnavailable)) { try await store.logIn() }
        }
    }

    @Test("Two tokens of one module share it, and one registry loads it once")
    func sharedModule() async throws {
        try await withSoftHSM { software in
            let modules = ModuleRegistry()
            let first = try modules.module(path: software.modulePath)
            #expect(try modules.module(path: software.modulePath) === first)
        }
    }

    @Test("A device that allows no further session is used with those it allows")
    func fewSessions() async throws {
        // The first two are the first thread's and the login's; every other one is refused.
        let refusals = (3...12).map { "{function: C_OpenSession, call: \($0), returns: SESSION_COUNT}" }
        let card = try await SimulatedCard(profile: nil, faults: refusals)
        let store = try await card.store(profile: profile("softhsm2"))
        try await store.logIn()
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await store.randomBytes(8).count } }
            return try await group.reduce(0, +)
        }
        #expect(total == 160)
        await store.close()
    }
}
