import DeviceProfiles
import Diagnostics
import PKCS11
import TestSupport
import Testing

@testable import TokenDoctor

/// One call that fails while the doctor works.
struct Fault: Sendable, CustomTestStringConvertible {
    let function: String
    let call: Int
    let value: String

    init(_ function: String, _ call: Int, _ value: String) {
        self.function = function
        self.call = call
        self.value = value
    }

    var testDescription: String { "\(self.function) call \(self.call) \(self.value)" }
    var yaml: String { "{function: \(self.function), call: \(self.call), returns: \(self.value)}" }
}

@Suite("The doctor on a card that fails")
struct DoctorFaultTests {
    /// Opens a simulated card with its user logged in.
    private func open(_ card: SimulatedCard) async throws -> Token {
        let module = try Module(path: card.modulePath, initializationString: card.initializationString)
        let slot = try #require(
            try module.slots().first { try $0.tokenInfo().identification.label == card.token.label })
        let token = try Token(slot: slot, maximumSessions: 1)
        let pin = Array(card.token.userPIN.utf8)
        try await token.login(.user) { use in pin.withUnsafeBytes { use($0) } }
        return token
    }

    private func objects(_ card: SimulatedCard) async throws -> [Substring] {
        try await card.bareTool("-O").text.split(separator: "\n").sorted()
    }

    @Test(
        "The objects of the token are the same before and after, whichever call fails in the middle",
        arguments: [
            Fault("C_GenerateKeyPair", 1, "CKR_DEVICE_MEMORY"), Fault("C_SignInit", 1, "CKR_DEVICE_ERROR"),
            Fault("C_Decrypt", 1, "CKR_FUNCTION_FAILED"), Fault("C_CreateObject", 1, "CKR_DEVICE_MEMORY"),
            Fault("C_DestroyObject", 1, "CKR_DEVICE_ERROR"), Fault("C_GetAttributeValue", 7, "CKR_DEVICE_ERROR"),
        ])
    func faults(_ fault: Fault) async throws {
        let card = try await SimulatedCard(profile: "generic-32k-smartcard", faults: [fault.yaml])
        // Past the simulator, so that it does not use the fault up.
        try await card.bareTool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "07").status
            .requireZero()
        let before = try await self.objects(card)
        let token = try await self.open(card)
        let found = try await doctor(token, profile("generic-32k-smartcard"), objects: .token)
            .examine([.kra], when: "2026-01-31")
        await token.close()
        #expect(found.leftBehind == [])
        #expect(try await self.objects(card) == before)
        #expect(before.contains { $0.contains("mine") })
    }

    @Test("A full card is told with the call that said so, and what to change")
    func full() async throws {
        let card = try await SimulatedCard(
            profile: "generic-8k-smartcard", overrides: ["capacity.reserved": "7900"])
        let token = try await self.open(card)
        let found = try await doctor(token, profile("generic-8k-smartcard"), objects: .token)
            .examine([.ca], when: "2026-01-31")
        await token.close()
        #expect(found.roles.map(\.can) == [false])
        let refused = try #require(found.ability("ca.sign-p256"))
        #expect(refused.because?.contains("C_GenerateKeyPair") == true)
        #expect(refused.because?.contains("CKR_DEVICE_MEMORY") == true)
        #expect(refused.change?.isEmpty == false)
    }
}

extension Int32 {
    /// A tool that prepares a test has to succeed.
    func requireZero() throws { try #require(self == 0) }
}
