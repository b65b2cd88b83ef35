import CPKCS11
import Glibc
import TestSupport
import Testing

/// What faults do beside returning a code.
@Suite("Effects of faults")
struct FaultEffectTests {
    @Test("A write is acknowledged and lost")
    func lost() async throws {
        let card = try await SimulatedCard(
            profile: nil,
            faults: [
                "{function: C_CreateObject, call: 1, effect: lose}",
                "{function: C_GenerateKeyPair, call: 1, effect: lose}",
                "{function: C_DestroyObject, call: 1, effect: lose}",
            ])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let data = module.create(session, label: "d")
        #expect(data.result == CKR_OK)
        #expect(try module.find(session, CKO_DATA).isEmpty)
        #expect(module.create(session, label: "d").result == CKR_OK)
        let pair = module.generate(session, label: "a")
        #expect(pair.result == CKR_OK)
        #expect(module.sign(session, pair.privateKey) != CKR_OK)
        #expect(try module.find(session, CKO_PRIVATE_KEY).isEmpty)
        let found = try module.find(session, CKO_DATA)
        #expect(module.functions.C_DestroyObject?(session, try #require(found.first)) == CKR_OK)
        #expect(try module.find(session, CKO_DATA) == found)
    }

    @Test(
        "A handle names another key from a call on, and who looks for its key again finds it under another handle",
        arguments: ["handles: same", "handles: own"])
    func anotherKey(numbering: String) async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_SignInit, call: 2, key: {label: first}, effect: another-key}"],
            rule: [numbering], settings: ["log: events"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let first = module.generate(session, label: "first").privateKey
        let second = module.generate(session, label: "second").privateKey
        #expect(module.sign(session, first) == CKR_OK)
        #expect(try module.label(session, first).get() == "first")
        #expect(module.sign(session, first) == CKR_OK)
        #expect(try module.label(session, first).get() == "second")
        #expect(try module.label(session, second).get() == "second")
        let found = try module.find(session, CKO_PRIVATE_KEY)
        let again = try #require(try found.first { try module.label(session, $0).get() == "first" })
        #expect(Set(found) == [again, second] && again != first)
        #expect(module.sign(session, again) == CKR_OK)
        // What is made later does not get the number.
        let third = module.generate(session, label: "third").privateKey
        #expect(try module.label(session, third).get() == "third")
        #expect(try module.label(session, again).get() == "first")
        #expect(try card.events().contains { $0.contains("names another object than before") })
    }

    @Test("A crash between key and directory entry leaves the private half and no process")
    func crash() async throws {
        let card = try await SimulatedCard(
            profile: "generic-8k-smartcard", faults: ["{function: C_GenerateKeyPair, call: 1, effect: crash}"])
        let crashed = try await card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "a", "--id", "01")
        #expect(crashed.status == 128 + SIGKILL)
        let objects = try await card.bareTool("-O").text
        #expect(objects.contains("Private Key Object") && !objects.contains("Public Key Object"))
        // The next process counts it.
        _ = try await card.tool("--delete-object", "--type", "privkey", "--id", "01")
        #expect(try await card.bareTool("-O").text.isEmpty)
    }

    @Test("A crash after the work leaves it done and not acknowledged")
    func crashAfter() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_GenerateKeyPair, call: 1, effect: crash, after: true}"])
        let crashed = try await card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "a", "--id", "01")
        #expect(crashed.status == 128 + SIGKILL)
        let objects = try await card.bareTool("-O").text
        #expect(objects.contains("Private Key Object") && objects.contains("Public Key Object"))
    }

    @Test("A call hangs for its time, then fails or goes on")
    func hang() async throws {
        let card = try await SimulatedCard(
            profile: nil,
            faults: [
                "{function: C_Sign, call: 1, hang: 0.05, returns: DEVICE_ERROR}",
                "{function: C_Sign, call: 2, hang: 0.05}",
            ])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generate(session, label: "a").privateKey
        let start = ContinuousClock.now
        #expect(module.sign(session, key) == CKR_DEVICE_ERROR)
        _ = module.functions.C_CloseAllSessions?(try module.slot())
        let other = try module.loggedIn()
        let found = try module.find(other, CKO_PRIVATE_KEY)
        #expect(module.sign(other, found[0]) == CKR_OK)
        #expect(ContinuousClock.now - start >= .milliseconds(100))
    }

    @Test("A fault for one key leaves the others alone, in C_SignInit and in C_Sign")
    func byKey() async throws {
        let card = try await SimulatedCard(
            profile: nil,
            faults: ["{function: C_Sign, key: {label: bad}, every: 1, returns: KEY_FUNCTION_NOT_PERMITTED}"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let good = module.generate(session, label: "good").privateKey
        let bad = module.generate(session, label: "bad").privateKey
        #expect(module.sign(session, good) == CKR_OK)
        #expect(module.sign(session, bad) == CKR_KEY_FUNCTION_NOT_PERMITTED)
    }

    @Test("The log numbers events, has a line to replay each fault, and no PIN and no data")
    func log() async throws {
        let settings = ["log: events", "log_calls: true", "seed: 3"]
        let chance = "{function: C_GenerateRandom, probability: 0.3, returns: DEVICE_ERROR}"
        let card = try await SimulatedCard(profile: nil, faults: [chance], rule: ["handles: same"], settings: settings)
        let draw = { (card: SimulatedCard) in
            let module = try LoadedModule(card)
            let session = try module.loggedIn()
            var byte: UInt8 = 0
            return (1...20).map { _ in module.functions.C_GenerateRandom?(session, &byte, 1) }
        }
        let first = try draw(card)
        #expect(Set(first) == [CKR_OK, CKR_DEVICE_ERROR])
        let events = try card.events()
        #expect(events.allSatisfy { !$0.contains(card.token.userPIN) })
        let numbers = events.compactMap { $0.split(separator: " ").first?.split(separator: ".").last }
        #expect(numbers.map(String.init) == (1...events.count).map(String.init))
        let replay = events.compactMap { line in
            line.firstRange(of: "replay: ").map { line[$0.upperBound...] }
        }
        #expect(replay.count == first.count { $0 == CKR_DEVICE_ERROR })
        let again = try await SimulatedCard(profile: nil, faults: replay.map(String.init), rule: ["handles: same"])
        #expect(try draw(again) == first)
    }
}
