import Foundation
import TestSupport
import Testing

/// A root in a process of its own moves to another token and is killed at a call, beginning anew for each; what it finds is
/// examined as after a restart, and the next run goes on to the end. `make sweep` meets every call, the ordinary run some,
/// and `make sweep SWEEP=move:7` every seventh.
@Suite("A move to another token is killed at any call")
struct MigrationSweepTests {
    /// At whose calls.
    enum Place: String, CaseIterable {
        case statements = "statement-before"
        case writes = "write-after"
        case source
        case target
    }

    struct Kills: Sendable, CustomTestStringConvertible {
        let place: Place
        let newKey: Bool
        let stride: Int
        var testDescription: String {
            "\(self.place.rawValue), \(self.newKey ? "new key" : "copied key"), every \(self.stride)"
        }
    }

    /// The ordinary run has each place once, with strides that are far enough apart for some kills in each.
    private static let kills: [Kills] = {
        func all(_ stride: Int) -> [Kills] {
            Place.allCases.flatMap { place in
                [false, true].map { Kills(place: place, newKey: $0, stride: stride) }
            }
        }
        let chosen = CrashSweepTests.extent.split(separator: ":")
        if chosen.count == 2 { return chosen[0] == "move" ? all(Int(chosen[1]) ?? 1) : [] }
        guard !CrashSweepTests.isFull else { return all(1) }
        return [(.statements, false, 60), (.writes, true, 60), (.source, false, 20), (.target, false, 90)].map {
            Kills(place: $0, newKey: $1, stride: $2)
        }
    }()

    @Test(
        "After every kill the CA works, with no key that was not proven, and the next run ends with all keys in one place",
        arguments: kills)
    func killed(_ kills: Kills) async throws {
        let authority = try await MovingAuthority(kills)
        var (number, met) = (max(1, kills.stride / 3), 0)
        while true {
            let result = try await authority.move(killedAt: number)
            guard result.status != 0 else { break }
            try #require(result.status == 128 + SIGKILL, "call \(number): \(result.stderr)")
            met += 1
            let between = try await authority.examine()
            try #require(between.status == 0, "killed at call \(number): \(between.stderr)")
            let rest = try await authority.move()
            try #require(rest.status == 0, "after call \(number): \(rest.stderr)")
            let done = try await authority.examine("--finished")
            try #require(done.status == 0, "after call \(number), finished: \(done.stderr)")
            let keys = try await authority.objectsOnTarget()
            try #require(keys.components(separatedBy: "Private Key Object").count == 2, "after call \(number): \(keys)")
            try #require(keys.components(separatedBy: "Public Key Object").count == 2, "after call \(number): \(keys)")
            try authority.beginAnew()
            number += kills.stride
        }
        #expect(met >= 2)
    }
}

/// The program `swept-authority` with a root, the token that it is on, and the one that it moves to.
struct MovingAuthority: Sendable {
    private let kills: MigrationSweepTests.Kills
    private let directory: TemporaryDirectory
    private let program: String
    private let pin: String
    private let target: SoftwareToken
    private let targetModule: String
    /// Kept as long as the authority, and the one of the two tokens whose calls are counted.
    private let source: SoftwareToken
    private let card: SimulatedCard?
    /// What changes, and where it is kept as it was at the beginning.
    private let changing: [(path: String, kept: String)]

    init(_ kills: MigrationSweepTests.Kills) async throws {
        self.kills = kills
        self.directory = try TemporaryDirectory()
        let products = URL(filePath: try SimulatorLibrary.path()).deletingLastPathComponent()
        self.program = products.appending(path: "swept-authority").path
        let simulated: String? =
            switch kills.place {
            case .source: "source"
            case .target: "target"
            case .statements, .writes: nil
            }
        let card = try await simulated.asyncMap {
            try await SimulatedCard(profile: nil, rule: ["handles: same"], label: $0)
        }
        func token(_ label: String) async throws -> SoftwareToken {
            if let card, label == simulated { return card.token }
            return try await SoftwareToken.make(.softHSM, label: label)
        }
        func module(of token: SoftwareToken) -> String {
            token.label == simulated ? card?.modulePath ?? token.modulePath : token.modulePath
        }
        self.card = card
        self.source = try await token("source")
        self.target = try await token("target")
        self.targetModule = module(of: self.target)
        self.pin = try self.directory.write("pin", Array(self.source.userPIN.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self.pin)
        var paths = [
            self.directory.path("ca"), self.source.directory.path("tokens"), self.target.directory.path("tokens"),
        ]
        if let card = self.card { paths.append(card.directory.path("ledger")) }
        let directory = self.directory
        self.changing = paths.enumerated().map { ($1, directory.path("kept-\($0)")) }
        let made = try await run(
            [
                self.program, "create", self.directory.path("ca"), "--module", module(of: self.source), "--label",
                "source",
                "--pin", self.pin,
            ] + (kills.newKey ? [] : ["--copyable"]), environment: self.card?.environment ?? [:])
        try #require(made.status == 0, "\(made.stderr)")
        for (path, kept) in self.changing where FileManager.default.fileExists(atPath: path) {
            try FileManager.default.copyItem(atPath: path, toPath: kept)
        }
    }

    private var options: [String] {
        [
            self.directory.path("ca"), "--module", self.targetModule, "--label", "target", "--pin", self.pin,
        ] + (self.kills.newKey ? ["--new-key"] : [])
    }

    /// - Parameter number: of the call; `nil` lets it work to its end.
    func move(killedAt number: Int? = nil) async throws -> ToolResult {
        var environment = self.card?.environment ?? [:]
        var fault: [String] = []
        if let number, let card = self.card {
            let settings = String(decoding: try card.directory.read("simulator.yaml"), as: UTF8.self)
            let when = "call: \(number)\(number.isMultiple(of: 2) ? ", after: true" : "")"
            environment["SIGNET_SIMULATOR"] = try card.directory.write(
                "killing.yaml", Array((settings + "faults:\n  - {function: any, \(when), effect: crash}\n").utf8))
        } else if let number {
            fault = ["--fault", self.kills.place.rawValue, "--number", "\(number)"]
        }
        return try await run([self.program, "move"] + self.options + fault, environment: environment)
    }

    func examine(_ further: String...) async throws -> ToolResult {
        try await run(
            [self.program, "examine-move"] + self.options + further, environment: self.card?.environment ?? [:])
    }

    /// As `pkcs11-tool` sees the token.
    func objectsOnTarget() async throws -> String {
        let shown = try await run(
            [
                "pkcs11-tool", "--module", self.targetModule, "--token-label", "target", "--login", "--pin",
                self.target.userPIN, "-O",
            ], environment: self.card?.environment ?? [:])
        try #require(shown.status == 0, "\(shown.stderr)")
        return shown.text
    }

    /// Instance and tokens as they were before the first move.
    func beginAnew() throws {
        for (path, kept) in self.changing {
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
            guard FileManager.default.fileExists(atPath: kept) else { continue }
            try FileManager.default.copyItem(atPath: kept, toPath: path)
        }
    }
}

extension Optional {
    fileprivate func asyncMap<R>(_ body: (Wrapped) async throws -> R) async throws -> R? {
        guard let self else { return nil }
        return try await body(self)
    }
}
