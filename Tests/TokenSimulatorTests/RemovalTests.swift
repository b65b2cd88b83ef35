import CPKCS11
import SimulatorControl
import TestSupport
import Testing

/// The sequence that was measured with a card that was pulled and put back under OpenSC.
@Suite("A card that is taken out and put back")
struct RemovalTests {
    func eject(_ module: LoadedModule, _ session: CK_SESSION_HANDLE) {
        var byte: UInt8 = 0
        #expect(module.functions.C_GenerateRandom?(session, &byte, 1) == CKR_OK)
    }

    @Test("Calls give removed_rv but information is good; a look is needed; then sessions and handles are stale")
    func sequence() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_GenerateRandom, every: 1, effect: eject, after: true}"],
            rule: ["handles: same"], settings: ["control: control"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generate(session, label: "a").privateKey
        let slot = try module.slot()
        self.eject(module, session)
        // Out, and nobody has looked.
        #expect(module.sign(session, key) == CKR_DEVICE_REMOVED)
        var info = CK_SESSION_INFO()
        #expect(module.functions.C_GetSessionInfo?(session, &info) == CKR_OK)
        var token = CK_TOKEN_INFO()
        #expect(module.functions.C_GetTokenInfo?(slot, &token) == CKR_OK)
        var other = CK_SESSION_HANDLE()
        #expect(module.open(slot, &other) == CKR_DEVICE_REMOVED)
        // Back, and nobody has looked.
        try card.control.send(.insert(slot: nil))
        #expect(module.sign(session, key) == CKR_DEVICE_REMOVED)
        #expect(try module.slots().first == slot)
        #expect(module.sign(session, key) == CKR_SESSION_HANDLE_INVALID)
        #expect(module.functions.C_GetSessionInfo?(session, &info) == CKR_SESSION_HANDLE_INVALID)
        #expect(module.open(slot, &other) == CKR_OK)
        #expect(other != session)
        #expect(module.functions.C_GetSessionInfo?(other, &info) == CKR_OK)
        #expect(info.state == CKS_RW_PUBLIC_SESSION)
        #expect(module.login(other) == CKR_OK)
        #expect(module.sign(other, key) == CKR_KEY_HANDLE_INVALID)
        let found = try module.find(other, CKO_PRIVATE_KEY, label: "a")
        #expect(found.count == 1 && found != [key])
        #expect(module.sign(other, found[0]) == CKR_OK)
    }

    @Test("A card that is out is not listed after a look, and comes back in the slot where it is put")
    func otherSlot() async throws {
        let card = try await SimulatedCard(profile: nil, rule: ["handles: same"], settings: ["control: control"])
        let module = try LoadedModule(card)
        let slot = try module.slot()
        let session = try module.loggedIn()
        let count = try module.slots(tokenPresent: false).count
        try card.control.send(.eject)
        #expect(try !module.slots().contains(slot))
        #expect(try module.slots(tokenPresent: false).count == count)
        var token = CK_TOKEN_INFO()
        #expect(module.functions.C_GetTokenInfo?(slot, &token) == CKR_TOKEN_NOT_PRESENT)
        var info = CK_SLOT_INFO()
        #expect(module.functions.C_GetSlotInfo?(slot, &info) == CKR_OK)
        #expect(info.flags & CKF_TOKEN_PRESENT == 0)
        #expect(module.functions.C_CloseSession?(session) == CKR_SESSION_HANDLE_INVALID)
        try card.control.send(.insert(slot: 7))
        #expect(module.functions.C_GetTokenInfo?(slot, &token) == CKR_TOKEN_NOT_PRESENT)
        #expect(try module.slots().first == 7)
        #expect(module.functions.C_GetTokenInfo?(7, &token) == CKR_OK)
        #expect(module.functions.C_GetTokenInfo?(slot, &token) == CKR_TOKEN_NOT_PRESENT)
        var other = CK_SESSION_HANDLE()
        #expect(module.open(7, &other) == CKR_OK)
        #expect(module.login(other) == CKR_OK)
        var session7 = CK_SESSION_INFO()
        #expect(module.functions.C_GetSessionInfo?(other, &session7) == CKR_OK)
        #expect(session7.slotID == 7)
        #expect(module.generate(other, label: "b").result == CKR_OK)
    }

    @Test("A profile without a need to look finds the card by itself, with its own codes")
    func noLook() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2",
            overrides: [
                "lifecycle.rescan_needed": "false", "lifecycle.removed_rv": "TOKEN_NOT_PRESENT",
                "lifecycle.stale_session_rv": "SESSION_CLOSED", "lifecycle.info_after_removal": "error",
            ], settings: ["control: control"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        try card.control.send(.eject)
        var info = CK_SESSION_INFO()
        #expect(module.functions.C_GetSessionInfo?(session, &info) == CKR_TOKEN_NOT_PRESENT)
        try card.control.send(.insert(slot: nil))
        #expect(module.functions.C_GetSessionInfo?(session, &info) == CKR_SESSION_CLOSED)
        _ = try module.loggedIn()
    }

    @Test("A card that only C_Finalize brings back stays away until then")
    func recoveryByFinalize() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["lifecycle.recover": "finalize", "lifecycle.removed_rv": "DEVICE_ERROR"],
            settings: ["control: control"])
        do {
            let module = try LoadedModule(card)
            let session = try module.loggedIn()
            let key = module.generate(session, label: "a").privateKey
            try card.control.send(.eject)
            try card.control.send(.insert(slot: nil))
            _ = try module.slots()
            #expect(module.sign(session, key) == CKR_DEVICE_ERROR)
            var other = CK_SESSION_HANDLE()
            #expect(module.open(try module.slot(), &other) == CKR_DEVICE_ERROR)
        }
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        #expect(module.sign(session, try module.find(session, CKO_PRIVATE_KEY)[0]) == CKR_OK)
    }

    @Test("With stale_handles: another-key the handle of one key signs with another")
    func anotherKey() async throws {
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_GenerateRandom, call: 1, effect: reinsert, after: true}"],
            rule: ["stale_handles: another-key"], settings: ["log: events"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let first = module.generate(session, label: "first").privateKey
        let second = module.generate(session, label: "second").privateKey
        self.eject(module, session)
        _ = try module.slots()
        let other = try module.loggedIn()
        #expect(module.sign(other, first) == CKR_OK)
        #expect(try module.label(other, first).get() == "second")
        #expect(try module.label(other, second).get() == "first")
        #expect(try card.events().contains { $0.contains("names another object than before") })
    }
}
