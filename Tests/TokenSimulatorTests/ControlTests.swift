import CPKCS11
import Foundation
import SimulatorControl
import TestSupport
import Testing

extension SimulatedCard {
    /// The control socket, if the settings say `control: control`.
    var control: SimulatorControl { SimulatorControl(path: self.directory.path("control")) }
}

@Suite("Commands while a program runs")
struct ControlTests {
    static let settings = ["control: control", "log: events"]

    func card() async throws -> SimulatedCard {
        try await SimulatedCard(profile: nil, rule: ["handles: same"], settings: ControlTests.settings)
    }

    @Test("The socket answers as soon as C_Initialize has returned, is its owner's alone and is gone after C_Finalize")
    func socket() async throws {
        let card = try await self.card()
        do {
            let module = try LoadedModule(card)
            try card.control.send(.status)
            let mode = try FileManager.default.attributesOfItem(atPath: card.control.path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            _ = try module.slot()
        }
        #expect {
            try card.control.send(.status)
        } throws: { error in
            if case .unreachable? = error as? SimulatorControlError { true } else { false }
        }
    }

    @Test("An order fails the next call, once, in one of the processes; clear takes back")
    func orders() async throws {
        let card = try await self.card()
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        var byte: UInt8 = 0
        let random = { module.functions.C_GenerateRandom?(session, &byte, 1) }
        try card.control.send(.fail("function: C_GenerateRandom, returns: DEVICE_ERROR"))
        #expect(
            try card.control.send(.status).last
                == "fail {function: C_GenerateRandom, call: 1, returns: CKR_DEVICE_ERROR}")
        #expect([random(), random()] == [CKR_DEVICE_ERROR, CKR_OK])
        #expect(try card.control.send(.status).count == 1)
        try card.control.send(.fail("{function: any, every: 1, returns: DEVICE_ERROR}"))
        #expect(random() == CKR_DEVICE_ERROR)
        // The order is for every process that uses the card.
        #expect(try await card.tool("-O").stderr.contains("CKR_DEVICE_ERROR"))
        try card.control.send(.clear)
        #expect(random() == CKR_OK)
        #expect(try card.events().contains { $0.hasSuffix("command: clear") })
    }

    @Test("lock-pin locks the PIN of a card that never locks by itself")
    func lockPIN() async throws {
        let card = try await self.card()
        let module = try LoadedModule(card)
        try card.control.send(.lockPIN)
        #expect(try module.tokenFlags() & CKF_USER_PIN_LOCKED != 0)
        var session = CK_SESSION_HANDLE()
        #expect(module.open(try module.slot(), &session) == CKR_OK)
        #expect(module.login(session) == CKR_PIN_LOCKED)
    }

    @Test("A removal is met by all processes")
    func allProcesses() async throws {
        let card = try await self.card()
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        try card.control.send(.eject, card: "signet")
        var byte: UInt8 = 0
        #expect(module.functions.C_GenerateRandom?(session, &byte, 1) == CKR_DEVICE_REMOVED)
        #expect(try await card.tool("-O").status != 0)
        try card.control.send(.insert(slot: nil))
        #expect(try await card.tool("-O").status == 0)
    }

    @Test(
        "What cannot be done is refused with the reason",
        arguments: [
            (SimulatorControl.Command.fail("function: C_Sing, returns: OK"), "C_Sing"), (.fail(""), "needs a fault"),
            (.fail("function: C_Sign"), "returns"), (.fail("a\nb"), "one line"),
        ])
    func refused(_ command: SimulatorControl.Command, reason: String) async throws {
        let card = try await self.card()
        let module = try LoadedModule(card)
        _ = try module.slot()
        #expect {
            try card.control.send(command)
        } throws: { error in
            guard case .refused(let text)? = error as? SimulatorControlError else { return false }
            return text.contains(reason)
        }
        #expect(throws: SimulatorControlError.refused("there is no card with \"nobody\"")) {
            try card.control.send(.eject, card: "nobody")
        }
    }

    @Test("Another process serves the socket when the first has ended")
    func takesOver() async throws {
        let card = try await self.card()
        var first: LoadedModule? = try LoadedModule(card)
        _ = try first?.slot()
        try card.control.send(.status)
        let second = try WaitingTool(
            ["--module", card.modulePath, "--token-label", card.token.label, "--hash", "-m", "SHA256"],
            environment: card.environment)
        first = nil
        #expect(try card.control.waitForStatus().count == 1)
        #expect(try await second.goOn().status == 0)
    }
}

extension SimulatorControl {
    /// The status, as soon as a process serves the socket.
    func waitForStatus() throws -> [String] {
        for _ in 0..<6000 {
            do {
                return try self.send(.status)
            } catch SimulatorControlError.unreachable {
                usleep(20_000)
            }
        }
        return try self.send(.status)
    }
}
