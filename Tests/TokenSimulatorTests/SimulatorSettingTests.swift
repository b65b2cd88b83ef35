import DeviceProfiles
import TestSupport
import Testing
import TokenSimulator

@Suite("The simulator's setting")
struct SimulatorSettingTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    func configuration(_ text: String) throws -> SimulatorConfiguration {
        let profiles = "profiles: \(SimulatorLibrary.profiles)\n"
        return try SimulatorConfiguration(path: self.directory.write("simulator.yaml", Array((profiles + text).utf8)))
    }

    /// Starts the simulator in a process of its own.
    func start(environment: [String: String]) async throws -> ToolResult {
        try await run(
            ["env", "-u", "SIGNET_SIMULATOR"] + environment.map { "\($0)=\($1)" }
                + ["pkcs11-tool", "--module", SimulatorLibrary.path(), "-I"])
    }

    @Test("Without a setting C_Initialize fails with CKR_GENERAL_ERROR, and one line says why")
    func noSetting() async throws {
        let answer = try await self.start(environment: [:])
        #expect(answer.status != 0)
        #expect(answer.stderr.contains("C_Initialize failed: rv = CKR_GENERAL_ERROR (0x5)"))
        let said = answer.stderr.split(separator: "\n").filter { $0.hasPrefix("signet-token-simulator: ") }
        #expect(said.count == 1)
        #expect(said.first?.contains("SIGNET_SIMULATOR is not set") == true)
    }

    @Test("A file that does not say \"simulate: true\" is no setting", arguments: ["", "simulate: false\n"])
    func notAsked(_ line: String) async throws {
        let path = try self.directory.write("simulator.yaml", Array((line + "module: /lib/m.so\n").utf8))
        let answer = try await self.start(environment: ["SIGNET_SIMULATOR": path])
        #expect(answer.stderr.contains("CKR_GENERAL_ERROR"))
        #expect(answer.stderr.contains("does not say \"simulate: true\""))
    }

    @Test("A module that is not there, and the simulator itself, are refused by name")
    func badModule() async throws {
        for (module, reason) in [
            ("/nonexistent.so", "No such file"), (try SimulatorLibrary.path(), "simulator itself"),
        ] {
            let path = try self.directory.write("simulator.yaml", Array("simulate: true\nmodule: \(module)\n".utf8))
            let answer = try await self.start(environment: ["SIGNET_SIMULATOR": path])
            #expect(answer.stderr.contains("Could not load the module \(module)"))
            #expect(answer.stderr.contains(reason))
        }
    }

    @Test("All that is wrong with a configuration is named at once")
    func findings() throws {
        let text = """
            simulate: true
            modul: /lib/m.so
            faults:
              - {function: C_Sing, call: 0, returns: OKAY}
              - {call: 1, returns: OK}
            tokens:
              - {label: '(', profile: generic-8k-smartcard}
            """
        #expect {
            try self.configuration(text)
        } throws: { error in
            guard let error = error as? ProfileError, error.code == .invalid else { return false }
            return error.findings.map(\.field) == [
                "modul", "module", "tokens[0].label", "faults[0].function", "faults[0].call", "faults[0].returns",
                "faults[1].function",
            ]
        }
    }

    @Test("A profile that does not know a limit is refused unless the limit is set")
    func unknownLimit() throws {
        try self.directory.write(
            "partition.yaml",
            Array("name: p\nsummary: p\nevidence: doc\nsource: x\ncapacity: {dir: {cdf: 5}}\n".utf8))
        let rule = "simulate: true\nmodule: /lib/m.so\ntokens:\n  - {label: x, profile: partition.yaml"
        #expect {
            try self.configuration(rule + "}\n")
        } throws: { error in
            guard let error = error as? ProfileError else { return false }
            return error.findings.map(\.reason).allSatisfy { $0.contains("so it cannot be simulated") }
                && error.findings.count == 2
        }
        let override = ", override: {capacity.bytes: disk, capacity.dir.cdf: 0}}\n"
        let configuration = try self.configuration(rule + override)
        #expect(configuration.tokens.first?.profile.capacity.bytes.value == .disk)
    }

    @Test("Paths are relative to the file, and the first token rule that fits is kept in order")
    func paths() throws {
        let configuration = try self.configuration(
            """
            simulate: true
            module: /lib/m.so
            module_arguments: "configdir='x'"
            environment: {A: b}
            ledger: sub/ledger
            tokens:
              - {label: ^a$, profile: generic-8k-smartcard, override: {capacity.bytes: 4096}}
              - {label: a, profile: generic-32k-smartcard}
            """)
        #expect(configuration.ledgerPath == self.directory.path("sub/ledger"))
        #expect(configuration.moduleArguments == "configdir='x'")
        #expect(configuration.environment == ["A": "b"])
        #expect(configuration.tokens.map(\.profile.name) == ["generic-8k-smartcard", "generic-32k-smartcard"])
        #expect(configuration.tokens.first?.profile.capacity.bytes.value == .bytes(4096))
        #expect(configuration.tokens.first?.label.isFound(in: "aa") == false)
    }
}
