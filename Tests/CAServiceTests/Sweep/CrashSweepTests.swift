import Foundation
import SimulatorControl
import TestSupport
import Testing

/// A certification authority in a process of its own works through a scenario (20 issued, 5 revoked, CRLs, two renewals,
/// a change of roles) and is killed at one call after the other, or its disk fails. Each restart settles what is open by
/// itself, and the child examines what it finds before it goes on; see `Tests/SweptAuthority`.
///
/// `make sweep` meets every call; the ordinary run every so many, another one in each of the steps that are alike;
/// `make sweep SWEEP=write-after:5` one fault at every fifth. With `:1` for each of the faults in turn it is the whole, in parts.
@Suite("A certification authority is killed, or its disk fails, at any call of a scenario")
struct CrashSweepTests {
    static let extent = ProcessInfo.processInfo.environment["SIGNET_SWEEP"] ?? ""
    static let isFull = extent == "full"

    struct Sweep: Sendable, CustomTestStringConvertible {
        /// One after the other.
        let faults: [String]
        let stride: Int
        var testDescription: String { "\(self.faults.joined(separator: ", ")), every \(self.stride)" }
    }

    private static func sweeps(_ faults: [String], sampled stride: Int) -> [Sweep] {
        let chosen = self.extent.split(separator: ":").map(String.init)
        if chosen.count == 2, let every = Int(chosen[1]) {
            return faults.contains(chosen[0]) ? [Sweep(faults: [chosen[0]], stride: every)] : []
        }
        return self.isFull
            ? faults.map { Sweep(faults: [$0], stride: 1) } : [Sweep(faults: faults, stride: stride)]
    }

    @Test(
        "Killed at a statement or in the middle of a commit: nothing acknowledged is lost, and no number comes twice",
        arguments: sweeps(["statement-before", "write-after", "statement-after", "write-before"], sampled: 37))
    func killedAtStorage(_ sweep: Sweep) async throws {
        let kills = try await self.killUntilDone(sweep, SweptChild(simulated: false))
        #expect(kills >= 20)
    }

    @Test(
        "Killed while the token works: the same, and no key stays on the token without a certificate",
        arguments: sweeps(["token-before", "token-after"], sampled: 5))
    func killedAtToken(_ sweep: Sweep) async throws {
        let child = try await SweptChild(simulated: true)
        for number in Swift.stride(from: 1, through: 45, by: sweep.stride == 1 ? 1 : 9) {
            let result = try await child.work("\(sweep.faults[number % sweep.faults.count])", openingAt: number)
            #expect(result.status == 128 + SIGKILL, "call \(number) of the opening: \(result.stderr)")
        }
        let kills = try await self.killUntilDone(sweep, child)
        #expect(kills >= 15)
    }

    @Test(
        "A write or sync fails: the operation does, with a code that says so, and the next one finds all in order",
        arguments: sweeps(["eio", "enospc", "dead-disk"], sampled: 29))
    func failingDisk(_ sweep: Sweep) async throws {
        let child = try await SweptChild(simulated: false)
        let result = try await child.work(
            sweep.faults.joined(separator: ","), number: 1, stride: sweep.stride,
            environment: ["SIGNET_TRACE_PKCS11": child.tracePath])
        #expect(result.status == 0, "\(result.stderr)")
        let outcomes = result.text.split(separator: "\n").map { $0.split(separator: " ") }
        let codes = outcomes.filter { $0.first == "code" }
        #expect(codes.map { $0[1] } == ["0x8007001d"])
        #expect(codes.compactMap { Int($0[2]) }.reduce(0, +) >= 30)
        // That the trace of the token's calls shows them.
        let trace = try String(contentsOfFile: child.tracePath, encoding: .utf8)
        #expect(trace.contains(" > C_Sign ") && trace.contains(" < C_GenerateKeyPair "))
    }

    /// - Returns: how often the child was killed.
    private func killUntilDone(_ sweep: Sweep, _ child: SweptChild) async throws -> Int {
        var kills = 0
        var (index, number) = (0, 1)
        while kills < 100_000 {
            let fault = sweep.faults[kills % sweep.faults.count]
            let result = try await child.work(fault, number: number, stride: sweep.stride)
            if result.status == 0 { return kills }
            guard result.status == 128 + SIGKILL else {
                Issue.record("\(fault) at call \(number) of step \(index): \(result.stderr)")
                return kills
            }
            kills += 1
            let next = try child.nextIndex()
            if next == index {
                number += sweep.stride
            } else {
                index = next
                number = sweep.stride + SweptChild.firstNumber(ofStep: next, stride: sweep.stride)
            }
        }
        Issue.record("the scenario has no end")
        return kills
    }
}

/// The program `swept-authority` with an instance and a token of its own.
struct SweptChild: Sendable {
    private let directory: TemporaryDirectory
    private let program: String
    private let environment: [String: String]
    /// Keep the token.
    private let token: SoftwareToken?
    private let card: SimulatedCard?

    init(simulated: Bool) async throws {
        self.directory = try TemporaryDirectory()
        let products = URL(filePath: try SimulatorLibrary.path()).deletingLastPathComponent()
        self.program = products.appending(path: "swept-authority").path
        let module: String
        let token: SoftwareToken
        if simulated {
            let card = try await SimulatedCard(
                profile: nil, rule: ["handles: same"], settings: ["control: control"], label: "swept")
            (self.card, self.token, token) = (card, nil, card.token)
            (module, self.environment) = (card.modulePath, card.environment)
        } else {
            token = try await SoftwareToken.make(.softHSM, label: "swept")
            (self.card, self.token) = (nil, token)
            (module, self.environment) = (token.modulePath, token.environment)
        }
        let pin = try self.directory.write("pin", Array(token.userPIN.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pin)
        try await self.mustSucceed([
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            self.directory.path("key.pem"), "-subj", "/CN=www.example.test", "-out", self.directory.path("request"),
        ])
        try await self.mustSucceed([
            self.program, "create", self.directory.path("ca"), "--module", module, "--label", "swept", "--pin", pin,
        ])
    }

    var tracePath: String { self.directory.path("trace") }

    private func mustSucceed(_ command: [String]) async throws {
        let result = try await run(command, environment: self.environment)
        try #require(result.status == 0, "\(command[0]): \(result.stderr)")
    }

    func work(
        _ fault: String, number: Int, stride: Int, environment: [String: String] = [:]
    ) async throws -> ToolResult {
        let control = self.card.map { ["--control", $0.directory.path("control")] } ?? []
        return try await run(
            [
                self.program, "work", self.directory.path("ca"), "--diary", self.directory.path("diary"), "--request",
                self.directory.path("request"), "--fault", fault, "--number", "\(number)", "--stride", "\(stride)",
            ] + control, environment: self.environment.merging(environment) { $1 })
    }

    /// Ends the child at a call into the token counted from its start: while the token is opened.
    func work(_ fault: String, openingAt number: Int) async throws -> ToolResult {
        let card = try #require(self.card)
        let settings = String(decoding: try card.directory.read("simulator.yaml"), as: UTF8.self)
        let after = fault == "token-after" ? ", after: true" : ""
        let path = try card.directory.write(
            "opening.yaml",
            Array((settings + "faults:\n  - {function: any, call: \(number)\(after), effect: crash}\n").utf8))
        return try await self.work(
            fault, number: 100_000, stride: 1, environment: ["SIGNET_SIMULATOR": path])
    }

    /// The first step that was not acknowledged.
    func nextIndex() throws -> Int {
        guard FileManager.default.fileExists(atPath: self.directory.path("diary")) else { return 0 }
        let lines = String(decoding: try self.directory.read("diary"), as: UTF8.self).split(separator: "\n")
        return (lines.last?.split(separator: "\t").first.flatMap { Int($0) } ?? -1) + 1
    }

    /// As the child has it for the steps that it goes on to.
    static func firstNumber(ofStep index: Int, stride: Int) -> Int { 1 + (index * 7) % stride }
}
