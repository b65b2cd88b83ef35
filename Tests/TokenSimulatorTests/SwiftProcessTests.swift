import CPKCS11
import Foundation
import TestSupport
import Testing

/// The simulator in a process that has the same Swift modules in it: this one.
@Suite("Loaded into a Swift program")
struct SwiftProcessTests {
    @Test("Every function of v2.40 is there, and none works before C_Initialize")
    func table() async throws {
        let card = try await SimulatedCard(profile: nil)
        let list = try LoadedModule.functions(card.modulePath)
        let words = UnsafeRawBufferPointer(start: list, count: MemoryLayout<CK_FUNCTION_LIST>.size)
        let pointers = stride(from: 8, to: words.count, by: 8).map { words.load(fromByteOffset: $0, as: UInt.self) }
        #expect(pointers.count == 68)
        #expect(!pointers.contains(0))
        #expect(list.pointee.version.major == 2 && list.pointee.version.minor == 40)
        var info = CK_INFO()
        #expect(list.pointee.C_GetInfo?(&info) == CKR_CRYPTOKI_NOT_INITIALIZED)
        #expect(list.pointee.C_Finalize?(nil) == CKR_CRYPTOKI_NOT_INITIALIZED)
    }

    @Test("It starts by pReserved, reports the memory of its profile and meets its faults at the n-th call")
    func works() async throws {
        let card = try await SimulatedCard(
            profile: "generic-8k-smartcard", overrides: ["capacity.mem_reported": "actual"],
            faults: ["{function: C_GenerateRandom, call: 3, returns: DEVICE_ERROR}"])
        let functions = try LoadedModule.functions(card.modulePath).pointee
        #expect(try LoadedModule.initialize(functions, card, reserved: card.initializationString) == CKR_OK)
        defer { _ = functions.C_Finalize?(nil) }
        #expect(try LoadedModule.initialize(functions, card, reserved: "") == CKR_CRYPTOKI_ALREADY_INITIALIZED)
        var slot: CK_SLOT_ID = 0
        var count: CK_ULONG = 1
        // The empty slot of SoftHSM comes last.
        #expect([CKR_OK, CKR_BUFFER_TOO_SMALL].contains(functions.C_GetSlotList?(1, &slot, &count)))
        var slots = [CK_SLOT_ID](repeating: 0, count: Int(count))
        #expect(functions.C_GetSlotList?(1, &slots, &count) == CKR_OK)
        var info = CK_TOKEN_INFO()
        #expect(functions.C_GetTokenInfo?(slots[0], &info) == CKR_OK)
        #expect(info.ulTotalPublicMemory == 4436 && info.ulFreePublicMemory == 4436)
        var session = CK_SESSION_HANDLE()
        #expect(functions.C_OpenSession?(slots[0], CKF_SERIAL_SESSION, nil, nil, &session) == CKR_OK)
        var random = [UInt8](repeating: 0, count: 8)
        let results = (1...4).map { _ in functions.C_GenerateRandom?(session, &random, 8) }
        #expect(results == [CKR_OK, CKR_OK, CKR_DEVICE_ERROR, CKR_OK])
    }

    @Test("Memory is reported as unavailable where the profile says so")
    func unreported() async throws {
        let card = try await SimulatedCard(profile: "generic-32k-smartcard")
        let functions = try LoadedModule.functions(card.modulePath).pointee
        #expect(try LoadedModule.initialize(functions, card, reserved: card.initializationString) == CKR_OK)
        defer { _ = functions.C_Finalize?(nil) }
        var slots = [CK_SLOT_ID](repeating: 0, count: 4)
        var count: CK_ULONG = 4
        #expect(functions.C_GetSlotList?(1, &slots, &count) == CKR_OK)
        var info = CK_TOKEN_INFO()
        #expect(functions.C_GetTokenInfo?(slots[0], &info) == CKR_OK)
        #expect(info.ulTotalPrivateMemory == SIGNET_CK_UNAVAILABLE_INFORMATION)
        #expect(info.ulFreePublicMemory == SIGNET_CK_UNAVAILABLE_INFORMATION)
    }
}
