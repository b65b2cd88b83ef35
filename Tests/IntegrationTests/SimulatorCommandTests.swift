import TestSupport
import Testing

/// `signet simulator` on a card that programs of others use.
@Suite("Commands to the simulator")
struct SimulatorCommandTests {
    let card: SimulatedCard
    private var control: String { self.card.directory.path("control") }

    init() async throws {
        self.card = try await SimulatedCard(
            profile: nil, rule: ["handles: same"], settings: ["control: control", "log: events", "log_calls: true"])
        _ = try await self.card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "k", "--id", "01")
    }

    private func simulator(_ arguments: String...) async throws -> ToolResult {
        try await run([Programs.signet, "simulator"] + arguments + ["--control", self.control])
    }

    /// Runs `body` while `pkcs11-tool` has the card open, and so serves the socket.
    private func whileInUse(_ body: () async throws -> Void) async throws {
        let holder = try self.program("--hash", "-m", "SHA256")
        try await until("the simulator answers") { try await self.simulator("status").status == 0 }
        try await body()
        _ = try await holder.goOn()  // What it does on a card that is out is its own affair.
    }

    private func program(_ arguments: String...) throws -> WaitingTool {
        try WaitingTool(
            ["--module", self.card.modulePath, "--token-label", self.card.token.label] + arguments,
            environment: self.card.environment)
    }

    private func sign() async throws -> ToolResult {
        let file = try self.card.directory.write("digest", [UInt8](repeating: 7, count: 32))
        return try await self.card.tool("--sign", "-m", "ECDSA", "--id", "01", "--input-file", file)
    }

    @Test("A card that is pulled while pkcs11-tool signs with it fails there, and comes back in another slot")
    func ejectAndInsert() async throws {
        try await self.whileInUse { () async throws -> Void in
            let logins = { try self.card.events().count { $0.hasSuffix("C_Login: CKR_OK (0x0)") } }
            let before = try logins()
            let signer = try self.program(
                "--login", "--pin", self.card.token.userPIN, "--sign", "-m", "ECDSA", "--id", "01")
            try await until("the holder logs in") { try logins() > before }
            #expect(try await self.simulator("eject").status == 0)
            let cut = try await signer.goOn([UInt8](repeating: 7, count: 32))
            #expect(cut.status != 0)
            #expect(cut.stderr.contains("CKR_DEVICE_REMOVED"), "\(cut.stderr)")
            #expect(try await self.simulator("status").text.contains("signet test: out, inserted again 0 times"))
            #expect(try await self.card.tool("-O").stderr.contains("No slot with token named"))
            #expect(try await self.simulator("insert", "--slot", "7").status == 0)
            #expect(
                try await self.simulator("status").text.contains("signet test: in, slot 7, inserted again 1 times"))
            #expect(try await self.card.tool("-L").text.contains("Slot 0 (0x7)"))
            let signed = try await self.sign()
            #expect(signed.status == 0, "\(signed.stderr)")
        }
    }

    @Test("A call is made to fail once, or until that is taken back, in whatever program comes next")
    func failAndClear() async throws {
        try await self.whileInUse { () async throws -> Void in
            #expect(try await self.simulator("fail", "function: C_Login, returns: DEVICE_ERROR").status == 0)
            #expect(
                try await self.simulator("status").text.contains(
                    "fail {function: C_Login, call: 1, returns: CKR_DEVICE_ERROR}"))
            #expect(try await self.sign().stderr.contains("CKR_DEVICE_ERROR"))
            #expect(try await self.sign().status == 0)
            #expect(
                try await self.simulator("fail", "{function: C_Login, every: 1, returns: DEVICE_ERROR}").status == 0)
            for _ in 0..<2 { #expect(try await self.sign().stderr.contains("CKR_DEVICE_ERROR")) }
            #expect(try await self.simulator("clear").status == 0)
            #expect(try await self.sign().status == 0)
            #expect(try await self.simulator("status").text.contains("fail") == false)
        }
    }

    @Test("lock-pin locks the PIN for the programs that come next")
    func lockPIN() async throws {
        try await self.whileInUse { () async throws -> Void in
            #expect(try await self.simulator("lock-pin").status == 0)
            #expect(try await self.simulator("status").text.contains("PIN locked"))
            #expect(try await self.sign().stderr.contains("CKR_PIN_LOCKED"))
        }
    }

    @Test("What cannot be done is said: nobody uses the card, it is another card, it is no fault")
    func refused() async throws {
        let nobody = try await self.simulator("status")
        #expect(nobody.status != 0)
        #expect(nobody.stderr.contains("No simulator answers at \(self.control)"))
        try await self.whileInUse { () async throws -> Void in
            let other = try await self.simulator("eject", "--card", "nobody")
            #expect(other.status != 0)
            #expect(other.stderr.contains("there is no card with \"nobody\""))
            let noFault = try await self.simulator("fail", "function: C_Sing, returns: OK")
            #expect(noFault.status != 0)
            #expect(noFault.stderr.contains("C_Sing"))
            #expect(try await self.sign().status == 0)
        }
    }
}
