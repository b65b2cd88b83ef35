import DeviceProfiles
import Diagnostics
import PKCS11
import Synchronization
import TestSupport
import Testing

@testable import TokenDoctor

/// A clock that goes on by one millisecond at each look, so that no test waits for a second of signatures.
final class StepClock: Sendable {
    private let time = Mutex(0.0)

    func now() -> Double {
        self.time.withLock {
            $0 += 1
            return $0
        }
    }
}

func profile(_ name: String, overrides: [String: String] = [:]) throws -> DeviceProfile {
    try ProfileCatalog(directories: [SimulatorLibrary.profiles]).profile(named: name, overrides: overrides)
}

func doctor(
    _ token: Token, _ profile: DeviceProfile?, objects: TokenDoctor.ObjectKind? = nil,
    isThorough: Bool = false
) -> TokenDoctor {
    let clock = StepClock()
    return TokenDoctor(
        token: token, profile: profile, objects: objects, isThorough: isThorough,
        randomBytes: { count in (0..<count).map { _ in UInt8.random(in: .min ... .max) } },
        milliseconds: { clock.now() * 60 })
}

extension Examination {
    func ability(_ id: String) -> AbilityReport? {
        self.roles.flatMap(\.requirements).flatMap(\.abilities).first { $0.id == id }
    }
}

@Suite("The doctor on tokens in software")
struct DoctorTests {
    @Test("SoftHSM can play every role, and knows OAEP with SHA-1 only")
    func softHSM() async throws {
        try await withSoftHSM { software in
            let token = try await software.openLoggedIn(maximumSessions: 1)
            let inventory = TokenInventory(token: token)
            let before = try await inventory.list()
            let found = try await doctor(token, profile("softhsm2")).examine(DoctorRole.allCases, when: "2026-01-31")
            #expect(found.isGood)
            #expect(found.objects == .session)
            #expect(found.roles.map(\.can) == [true, true, true])
            #expect(found.ability("exchange.oaep-sha_1")?.can == true)
            let refused = try #require(found.ability("exchange.oaep-sha256"))
            #expect(!refused.can)
            #expect(refused.because?.contains("CKR_ARGUMENTS_BAD") == true)
            for ability in ["ca.sign-p521", "ca.sign-ed25519", "ca.sign-pss", "exchange.gcm", "exchange.kw"] {
                #expect(found.ability(ability)?.can == true, "\(found.ability(ability)?.because ?? ability)")
            }
            #expect(found.ability("exchange.kwp-210a")?.can == true)
            #expect(found.ability("exchange.kwp-210b")?.because?.contains("CKR_MECHANISM_INVALID") == true)
            #expect(found.ability("ca.sign-rsa4096") == nil, "not without being asked")
            #expect(found.measured.filter(\.contradictsProfile).map(\.path) == [])
            #expect(found.measured.contains { $0.path == "latency.login" })
            #expect(try await inventory.list() == before)
            await token.close()
        }
    }

    @Test(
        "Without a profile NSS softokn is refused for its CKA_LOCAL; with the profile written then it can play every role"
    )
    func nss() async throws {
        try await withNSS { software in
            let token = try await software.openLoggedIn(maximumSessions: 1)
            let first = try await doctor(token, nil).examine([.exchange, .kra], when: "2026-01-31")
            let measured = Dictionary(uniqueKeysWithValues: first.measured.map { ($0.path, $0.text) })
            #expect(measured["mechanisms.rfc5649"] == "0x210b")
            #expect(measured["template.ignore"] == "[LOCAL]")
            let refused = try #require(first.ability("exchange.on-token"))
            #expect(refused.because?.contains("CKA_LOCAL") == true)
            #expect(refused.change?.contains("template.ignore") == true)
            #expect(!first.isGood && first.leftBehind.isEmpty)
            let written = try first.writtenProfile(name: "mine", basedOn: nil)
            let second = try await doctor(token, written).examine(DoctorRole.allCases, when: "2026-01-31")
            #expect(second.isGood)
            #expect(second.ability("exchange.oaep-sha256")?.can == true)
            await token.close()
        }
    }

    @Test("A profile written for an unknown device can be read, matches that device, and agrees with it")
    func writtenProfile() async throws {
        try await withSoftHSM { software in
            let token = try await software.openLoggedIn(maximumSessions: 1)
            let found = try await doctor(token, nil).examine([.ca, .kra], when: "2026-01-31")
            let text = try found.writtenProfile(name: "mine", basedOn: nil).yamlText
            let written = try DeviceProfile(yaml: text, file: "mine.yaml")
            #expect(written.match.specificity(for: found.token, modulePath: "/m.so") == 3)
            #expect(written.mechanisms.oaep.value == [.sha1])
            #expect(written.template.sessionObjects.value == true)
            #expect(written.mechanisms.oaep.provenance?.evidence == .measured)
            #expect(written.capacity.bytes == .unknown)
            await token.close()
        }
    }

    @Test("A thorough run finds the device's number of sessions, and the profile written then says it and is valid")
    func sessions() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["sessions.max": "7", "sessions.scope": "process"])
        let module = try Module(path: card.modulePath, initializationString: card.initializationString)
        let slot = try #require(try module.slots().first { try $0.tokenInfo().identification.label == "signet test" })
        let token = try Token(slot: slot, maximumSessions: 1)
        let pin = Array(card.token.userPIN.utf8)
        try await token.login(.user) { use in pin.withUnsafeBytes { use($0) } }
        let found = try await doctor(token, nil, isThorough: true).examine([.kra], when: "2026-01-31")
        #expect(found.isGood)
        let written = try found.writtenProfile(name: "mine", basedOn: nil)
        #expect(written.sessions.maximum.value == .atMost(7))
        #expect(written.sessions.overLimit.value == .sessionCount)
        #expect(try DeviceProfile(yaml: written.yamlText, file: "mine").sessions.maximum.value == .atMost(7))
        await token.close()
    }

    @Test("What key pairs and certificates take is measured by the memory that the token tells of, and written")
    func sizes() async throws {
        let card = try await SimulatedCard(
            profile: "generic-32k-smartcard", overrides: ["capacity.mem_reported": "actual"])
        let module = try Module(path: card.modulePath, initializationString: card.initializationString)
        let slot = try #require(try module.slots().first { try $0.tokenInfo().identification.label == "signet test" })
        let token = try Token(slot: slot, maximumSessions: 1)
        let pin = Array(card.token.userPIN.utf8)
        try await token.login(.user) { use in pin.withUnsafeBytes { use($0) } }
        let found = try await doctor(token, nil, objects: .token).examine([.ca, .kra], when: "2026-01-31")
        #expect(found.leftBehind == [])
        let written = try found.writtenProfile(name: "mine", basedOn: nil).capacity
        #expect(written.memoryReported.value == .actual)
        let truth = try profile("generic-32k-smartcard").capacity.pairCosts
        #expect(written.pairCosts[.rsa(modulusBits: 2048)]?.value == 2300)
        #expect(written.pairCosts[.p256]?.value == truth[.p256]?.value)
        #expect(written.pairCosts[.p384]?.value == truth[.p384]?.value)
        #expect(written.headers[.certificate]?.value == 32)
        await token.close()
    }

    @Test("Test objects on the token are gone afterwards, and those of a run that was killed as well")
    func onToken() async throws {
        try await withSoftHSM { software in
            let token = try await software.openLoggedIn(maximumSessions: 1)
            let inventory = TokenInventory(token: token)
            try await token.withSession(.readWrite) { session in
                let templates = TestKeyKind.signingP256.templates(id: [1], onToken: true)
                _ = try session.generateKeyPair(
                    TestKeyKind.signingP256.mechanism, publicKey: templates.publicKey, privateKey: templates.privateKey)
            }
            let found = try await doctor(token, profile("softhsm2"), objects: .token)
                .examine([.ca], when: "2026-01-31")
            #expect(found.removedFromEarlierRuns == 2)
            #expect(found.objects == .token)
            #expect(found.roles.map(\.can) == [true])
            #expect(try await inventory.list() == [])
            await token.close()
        }
    }

    @Test("A later run tells what is different: firmware, abilities and values")
    func changes() async throws {
        try await withSoftHSM { software in
            let token = try await software.openLoggedIn(maximumSessions: 1)
            let found = try await doctor(token, profile("softhsm2")).examine([.ca], when: "2026-01-31")
            let directory = try TemporaryDirectory()
            try DoctorState(found).write(directory.path("a/state.json"))
            let earlier = try #require(try DoctorState.read(directory.path("a/state.json")))
            #expect(DoctorState(found).changes(since: earlier) == [])
            var later = DoctorState(found)
            later.firmware = "9.9"
            later.abilities["ca.sign-p256"] = "cannot: gone"
            later.measured["template.ec_point"] = "raw"
            #expect(later.changes(since: earlier).count == 3)
            try directory.write("broken.json", Array("{".utf8))
            #expect {
                try DoctorState.read(directory.path("broken.json"))
            } throws: { ($0 as? DoctorError)?.code == .unreadableState }
            await token.close()
        }
    }
}
