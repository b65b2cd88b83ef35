import CPKCS11
import Glibc
import SimulatorControl
import TestSupport
import Testing

@Suite("Waiting for a card")
struct SlotEventTests {
    func card() async throws -> SimulatedCard {
        try await SimulatedCard(profile: nil, rule: ["handles: same"], settings: ["control: control"])
    }

    /// `C_WaitForSlotEvent` that does not block.
    func poll(_ module: LoadedModule) -> (result: CK_RV?, slot: CK_SLOT_ID) {
        var slot = CK_SLOT_ID.max
        let result = module.functions.C_WaitForSlotEvent?(CKF_DONT_BLOCK, &slot, nil)
        return (result, slot)
    }

    @Test("A program is told once of each slot whose card came or went, and being told is a look")
    func events() async throws {
        let card = try await self.card()
        let module = try LoadedModule(card)
        let slot = try module.slot()
        let session = try module.loggedIn()
        #expect(self.poll(module).result == CKR_NO_EVENT)
        _ = try card.control.waitForStatus()
        try card.control.send(.eject)
        #expect(self.poll(module) == (CKR_OK, slot))
        #expect(self.poll(module).result == CKR_NO_EVENT)
        var info = CK_SESSION_INFO()
        #expect(module.functions.C_GetSessionInfo?(session, &info) == CKR_SESSION_HANDLE_INVALID)
        var token = CK_TOKEN_INFO()
        #expect(module.functions.C_GetTokenInfo?(slot, &token) == CKR_TOKEN_NOT_PRESENT)
        try card.control.send(.insert(slot: 7))
        #expect(self.poll(module) == (CKR_OK, 7))
        #expect(module.functions.C_GetTokenInfo?(7, &token) == CKR_OK)
        // From one slot to another while nobody looked: both are told.
        try card.control.send(.eject)
        try card.control.send(.insert(slot: 8))
        #expect(self.poll(module) == (CKR_OK, 7))
        #expect(self.poll(module) == (CKR_OK, 8))
        #expect(self.poll(module).result == CKR_NO_EVENT)
        #expect(module.functions.C_WaitForSlotEvent?(CKF_DONT_BLOCK, nil, nil) == CKR_ARGUMENTS_BAD)
    }

    @Test("A program that waits is woken when the card is put back")
    func blocking() async throws {
        let card = try await self.card()
        let module = try LoadedModule(card)
        let slot = try module.slot()
        _ = try card.control.waitForStatus()
        try card.control.send(.eject)
        #expect(self.poll(module) == (CKR_OK, slot))
        let waiting = WaitingCall(module.functions)
        try card.control.send(.insert(slot: nil))
        #expect(waiting.end() == (CKR_OK, slot))
    }

    @Test("C_Finalize wakes a program that waits with CKR_CRYPTOKI_NOT_INITIALIZED")
    func finalize() async throws {
        let card = try await self.card()
        let module = try LoadedModule(card)
        _ = try module.slot()
        let waiting = WaitingCall(module.functions)
        // It counts as soon as it is inside; before that it is not initialized all the same.
        #expect(module.functions.C_Finalize?(nil) == CKR_OK)
        #expect(waiting.end().result == CKR_CRYPTOKI_NOT_INITIALIZED)
    }

    @Test("Where no card can move, the module inside answers")
    func passed() async throws {
        let card = try await SimulatedCard(profile: nil, rule: ["handles: same"])
        let module = try LoadedModule(card)
        let bare = try LoadedModule.functions(card.token.modulePath).pointee
        var slot = CK_SLOT_ID()
        #expect(self.poll(module).result == bare.C_WaitForSlotEvent?(CKF_DONT_BLOCK, &slot, nil))
    }
}

/// A thread in `C_WaitForSlotEvent`.
private final class WaitingCall: @unchecked Sendable {
    // Unchecked because the thread writes what is read only after it was joined.
    private let functions: CK_FUNCTION_LIST
    private var thread = pthread_t()
    private var result: CK_RV?
    private var slot = CK_SLOT_ID.max

    init(_ functions: CK_FUNCTION_LIST) {
        self.functions = functions
        let argument = Unmanaged.passUnretained(self).toOpaque()
        let created = pthread_create(
            &self.thread, nil,
            { argument in
                guard let argument else { return nil }
                let call = Unmanaged<WaitingCall>.fromOpaque(argument).takeUnretainedValue()
                call.result = call.functions.C_WaitForSlotEvent?(0, &call.slot, nil)
                return nil
            }, argument)
        #expect(created == 0)
    }

    /// Waits for its end.
    func end() -> (result: CK_RV?, slot: CK_SLOT_ID) {
        pthread_join(self.thread, nil)
        return (self.result, self.slot)
    }
}
