import Foundation
import TestSupport
import Testing

/// Certification authorities on SoftHSM tokens, made by the command line as an operator makes them.
struct Site: Sendable {
    static let softHSM = "/usr/lib/softhsm/libsofthsm2.so"

    let directory: TemporaryDirectory

    /// Tokens of their own, in one directory each.
    static func empty() throws -> Site {
        let site = Site(directory: try TemporaryDirectory())
        for name in ["so", "user"] {
            try site.secret("12345678", to: "pin-\(name)")
        }
        return site
    }

    func path(_ name: String) -> String { self.directory.path(name) }

    /// Writes a secret as an operator should: mode 0600.
    func secret(_ text: String, to name: String) throws {
        try self.directory.write(name, Array(text.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self.path(name))
    }

    func signet(_ arguments: String...) async throws -> ToolResult {
        try await self.signet(arguments)
    }

    func signet(_ arguments: [String]) async throws -> ToolResult {
        try await run([Programs.signet] + arguments)
    }

    /// Runs `signet`, which has to succeed.
    @discardableResult
    func operate(_ arguments: String...) async throws -> ToolResult {
        try await succeed([Programs.signet] + arguments)
    }

    /// Changes a setting of the issuing CA.
    func change(_ old: String, _ new: String) throws {
        let yaml = "\(self.path("issuing"))/signet.yaml"
        let text = try String(contentsOfFile: yaml, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacing(old, with: new).write(toFile: yaml, atomically: true, encoding: .utf8)
    }

    /// Makes an initialised SoftHSM token and its description for `--token-file`.
    ///
    /// - Parameter other: a token whose module the new one shares a process with; by default it has a place of its own.
    /// - Returns: the path of the description.
    func makeToken(_ label: String, beside other: String? = nil) async throws -> String {
        let configuration = try other.map { self.path("\($0).conf") } ?? self.softHSMConfiguration(label)
        let file = try self.directory.write(
            "\(label).yaml",
            Array(
                """
                module: \(Site.softHSM)
                module-environment: {SOFTHSM2_CONF: "\(configuration)"}
                token: "pkcs11:token=\(label)"
                profile: softhsm2
                pin: "file:\(self.path("pin-user"))"

                """.utf8))
        try await self.operate("token", "init", "--token-file", file, "--so-pin", "file:\(self.path("pin-so"))")
        return file
    }

    /// The same behind the simulator, with the limits of a profile.
    ///
    /// - Parameters:
    ///   - overrides: lines for the product's own view of the card, such as an override of the capacity.
    ///   - simulator: further lines of the simulator's own settings.
    func makeCard(
        _ label: String, profile: String, overrides: String = "", simulator: String = ""
    ) async throws -> String {
        let configuration = try self.softHSMConfiguration(label)
        // A file of its own: a module's state is per file and process, and a process may have other tokens, too.
        let module = self.path("\(label)-softhsm.so")
        try FileManager.default.copyItem(
            at: URL(fileURLWithPath: Site.softHSM).resolvingSymlinksInPath(), to: URL(fileURLWithPath: module))
        let simulation = try self.directory.write(
            "\(label)-simulator.yaml",
            Array(
                """
                simulate: true
                module: \(module)
                environment: {SOFTHSM2_CONF: "\(configuration)"}
                ledger: "\(self.path("\(label).ledger"))"
                profiles: "\(Programs.checkout)/hsm-profiles"
                tokens:
                  - {label: "\(label)", profile: \(profile)}
                \(simulator)

                """.utf8))
        let file = try self.directory.write(
            "\(label).yaml",
            Array(
                """
                module: \(Programs.simulator)
                module-environment: {SIGNET_SIMULATOR: "\(simulation)"}
                token: "pkcs11:token=\(label)"
                profile: \(profile)
                pin: "file:\(self.path("pin-user"))"
                \(overrides)

                """.utf8))
        try await self.operate("token", "init", "--token-file", file, "--so-pin", "file:\(self.path("pin-so"))")
        return file
    }

    /// Lets calls of a simulated token fail from now on, counted in each process.
    func setFaults(_ faults: String, on label: String) throws {
        let path = self.path("\(label)-simulator.yaml")
        let text = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "faults:")[0]
        try (text + (faults.isEmpty ? "" : "faults:\n\(faults)\n")).write(
            toFile: path, atomically: true, encoding: .utf8)
    }

    /// Adds a line to the simulator's settings of a token.
    func addSimulatorSetting(_ line: String, on label: String) throws {
        let path = self.path("\(label)-simulator.yaml")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try (text + line + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// What `pkcs11-tool -O` shows of a SoftHSM token, private objects as well.
    func objects(on label: String) async throws -> String {
        try await succeed(
            ["pkcs11-tool", "--module", Site.softHSM, "--token-label", label, "-O", "--login", "--pin", "12345678"],
            environment: ["SOFTHSM2_CONF": self.path("\(label).conf")]
        ).text
    }

    private func softHSMConfiguration(_ label: String) throws -> String {
        let tokens = self.path("tokens-\(label)")
        try FileManager.default.createDirectory(atPath: tokens, withIntermediateDirectories: false)
        return try self.directory.write(
            "\(label).conf",
            Array("directories.tokendir = \(tokens)\nobjectstore.backend = file\nlog.level = ERROR\n".utf8))
    }
}

extension Site {
    /// A root CA in `root` on token `root`.
    func makeRoot() async throws {
        let token = try await self.makeToken("root")
        try await self.operate(
            "init", "root", self.path("root"), "--name", "Test Root CA", "--subject", "CN=Test Root CA,O=Test",
            "--token-file", token, "--key-algorithm", "p-384", "--publication-url", "http://localhost:1")
        try await self.operate("crl", "publish", "--instance", self.path("root"))
    }

    /// A root and an issuing CA in `issuing` on token `issuing`, with CRLs and `chain.pem`.
    ///
    /// - Parameters:
    ///   - port: of the enrolment pages; the publication points are on the next one.
    ///   - simulated: puts the issuing CA's token behind the simulator.
    ///   - options: of `init subordinate`.
    static func issuing(
        keyAlgorithm: String = "p-256", port: Int = 1, simulated: Bool = false, options: [String] = []
    ) async throws -> Site {
        let site = try Site.empty()
        try await site.makeRoot()
        let token =
            simulated
            ? try await site.makeCard("issuing", profile: "softhsm2") : try await site.makeToken("issuing")
        try await succeed(
            [
                Programs.signet, "init", "subordinate", site.path("issuing"), "--name", "Test Issuing CA", "--subject",
                "CN=Test Issuing CA,O=Test", "--token-file", token, "--key-algorithm", keyAlgorithm,
                "--publication-url",
                "http://localhost:\(port + 1)", "--port", "\(port)", "--publication-port", "\(port + 1)",
                "--upn-suffix",
                "example.test", "--request-out", site.path("issuing.req"),
            ] + options)
        try await site.operate(
            "request", "submit", "--instance", site.path("root"), "--template", "SubCA", "--out",
            site.path("issuing.crt"), site.path("issuing.req"))
        try await site.operate(
            "ca", "install", "--instance", site.path("issuing"), "--chain",
            site.path("root/publish/Test Root CA.crt"), site.path("issuing.crt"))
        try await site.operate("ca", "show", "--instance", site.path("issuing"), "--pem-out", site.path("chain.pem"))
        try await site.operate("crl", "publish", "--instance", site.path("issuing"))
        return site
    }

    /// Both CRLs in one PEM file, as `openssl verify -CRLfile` wants them.
    func crls() async throws -> String {
        var text = ""
        for name in ["root/publish/Test Root CA.crl", "issuing/publish/Test Issuing CA.crl"] {
            text += try await succeed(["openssl", "crl", "-inform", "DER", "-in", self.path(name)]).text
        }
        return try self.directory.write("crls-\(UUID().uuidString).pem", Array(text.utf8))
    }

    /// A PKCS #10 for a P-256 key, made by openssl.
    func makeRequest(_ name: String) async throws -> String {
        try await succeed([
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            self.path("\(name).key"), "-out", self.path("\(name).req"), "-subj", "/CN=\(name).example.test", "-addext",
            "subjectAltName=DNS:\(name).example.test",
        ])
        return self.path("\(name).req")
    }
}
