internal import Foundation

/// Where the built simulator and the shipped profiles are, for tests.
package enum SimulatorLibrary {
    /// `libsignet-token-simulator.so`, which the build puts beside the test program.
    ///
    /// - Throws: ``SimulatorLibraryError`` when it was not built.
    package static func path() throws -> String {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        // The test program is a file of the products directory, or lies in a bundle there.
        var directory = program.deletingLastPathComponent()
        for _ in 0..<4 {
            let library = directory.appendingPathComponent("libsignet-token-simulator.so").path
            if FileManager.default.fileExists(atPath: library) { return library }
            directory.deleteLastPathComponent()
        }
        throw SimulatorLibraryError.notBuilt(beside: program.path)
    }

    /// The directory `hsm-profiles` of the package.
    package static var profiles: String {
        // The sources may be reached by a link; the profiles lie beside where they really are.
        URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("hsm-profiles").path
    }
}

package enum SimulatorLibraryError: Error {
    case notBuilt(beside: String)
}

/// A software token behind the simulator: a card of a given profile, for other programs and, if it is SoftHSM, for this
/// one: a module with NSS inside would end with it, and take the random generator from all others.
package final class SimulatedCard: Sendable {
    package let token: SoftwareToken
    package let directory: TemporaryDirectory
    /// A copy of the simulator of this card's own, because the state of a module is per mapped file and process.
    package let modulePath: String
    private let configurationPath: String
    private let bare: (path: String, environment: [String: String])

    /// What a process needs in its environment to see the card at ``modulePath``.
    package var environment: [String: String] { ["SIGNET_SIMULATOR": self.configurationPath] }

    /// The text for `pReserved` that has the same effect.
    package var initializationString: String { "simulator='\(self.configurationPath)'" }

    /// - Parameters:
    ///   - kind: the module inside.
    ///   - profile: a name among the shipped profiles, or `nil` to leave the token as it is.
    ///   - overrides: YAML values by dotted path, such as `["capacity.bytes": "4096"]`.
    ///   - faults: lines of YAML, such as `{function: C_Sign, call: 2, returns: CKR_DEVICE_ERROR}`.
    ///   - rule: further lines of YAML for the token, such as `handles: own`.
    ///   - settings: further lines of YAML at the top, such as `seed: 7`.
    package init(
        _ kind: SoftwareToken.Kind = .softHSM, profile: String?, overrides: [String: String] = [:],
        faults: [String] = [], rule: [String] = [],
        settings: [String] = [], label: String = "signet test"
    ) async throws {
        let token = try await SoftwareToken.make(kind, label: label)
        self.token = token
        self.directory = try TemporaryDirectory()
        self.bare =
            kind.isNSS
            ? try await BareModule.make(for: token, in: self.directory) : (token.modulePath, token.environment)
        self.modulePath = self.directory.path("simulator.so")
        try FileManager.default.copyItem(atPath: SimulatorLibrary.path(), toPath: self.modulePath)
        // A module inside of its own: this process has the token's own copy open already.
        let inner = self.directory.path("inner.so")
        try FileManager.default.copyItem(atPath: self.token.modulePath, toPath: inner)
        var lines = [
            "simulate: true", "module: \(inner)", "ledger: ledger", "profiles: [\(SimulatorLibrary.profiles)]",
        ]
        if let arguments = token.initializationString { lines.append("module_arguments: \"\(arguments)\"") }
        if !token.environment.isEmpty { lines.append("environment:") }
        lines += token.environment.map { "  \($0): \($1)" }
        if profile != nil || !rule.isEmpty { lines += ["tokens:", "  - label: \"^\(label)$\""] }
        lines += rule.map { "    \($0)" }
        if let profile {
            lines.append("    profile: \(profile)")
            if !overrides.isEmpty { lines.append("    override:") }
            lines += overrides.sorted { $0.key < $1.key }.map { "      \($0): \($1)" }
        }
        if !faults.isEmpty { lines.append("faults:") }
        lines += faults.map { "  - \($0)" } + settings
        let text = lines.joined(separator: "\n") + "\n"
        self.configurationPath = try self.directory.write("simulator.yaml", Array(text.utf8))
    }

    /// The lines of the event log, if the settings say `log: events`.
    package func events() throws -> [Substring] {
        String(decoding: try self.directory.read("events"), as: UTF8.self).split(separator: "\n")
    }

    /// The text of the ledger that processes share.
    package func ledger() throws -> String {
        String(decoding: try self.directory.read("ledger"), as: UTF8.self)
    }

    /// Runs `pkcs11-tool` on the card.
    package func tool(_ arguments: String..., login: Bool = true) async throws -> ToolResult {
        let pin = login ? ["--login", "--pin", self.token.userPIN] : []
        return try await run(
            ["pkcs11-tool", "--module", self.modulePath, "--token-label", self.token.label] + pin + arguments,
            environment: self.environment)
    }

    /// The token itself, past the simulator, for programs that do not know what it needs.
    package var bareModulePath: String { self.bare.path }
    package var bareEnvironment: [String: String] { self.bare.environment }

    /// Runs `pkcs11-tool` on the token itself, past the simulator.
    package func bareTool(_ arguments: String..., login: Bool = true) async throws -> ToolResult {
        let pin = login ? ["--login", "--pin", self.token.userPIN] : []
        return try await run(
            ["pkcs11-tool", "--module", self.bare.path, "--token-label", self.token.label] + pin + arguments,
            environment: self.bare.environment)
    }
}
