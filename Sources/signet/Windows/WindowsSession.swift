import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SecretMemory

/// One run of a verb: what was said on the command line, and what it names.
struct WindowsSession {
    let arguments: WindowsArguments
    let context: CommandContext
    private let environment: [String: String]

    init(
        _ arguments: WindowsArguments, _ context: CommandContext,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.arguments = arguments
        self.context = context
        self.environment = environment
    }

    var values: [String] { self.arguments.values }
    var isVerbose: Bool { self.arguments.has("v") }
    var isForced: Bool { self.arguments.has("f") }

    var time: WindowsTime {
        WindowsTime(gmt: self.arguments.has("gmt"), seconds: self.arguments.has("seconds"))
    }

    /// The host and CA that `-config` names, where it names another machine.
    var remoteConfiguration: (host: String, authority: String)? {
        guard let (host, name) = self.hostAndName, !self.isThisMachine(host) else { return nil }
        return (host, name)
    }

    private var hostAndName: (String, String)? {
        guard let parts = self.arguments["config"]?.split(separator: "\\", omittingEmptySubsequences: false),
            parts.count == 2
        else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    private func isThisMachine(_ host: String) -> Bool {
        let own = ProcessInfo.processInfo.hostName.lowercased()
        let short = own.split(separator: ".").first.map(String.init) ?? own
        return ["", ".", "localhost", own, short].contains(host.lowercased())
    }

    /// The instance's directory: `-instance`, or a directory after `-config`, or `SIGNET_INSTANCE`.
    private var directory: InstanceOptions {
        var options = InstanceOptions.standard
        if let directory = self.arguments["instance"] {
            options.instance = directory
        } else if let text = self.arguments["config"], text != "-", self.hostAndName == nil {
            options.instance = text
        }
        return options
    }

    /// Where an instance is or will be.
    var instanceDirectory: String { self.directory.instance }

    /// - Throws: ``WindowsUsageError`` when `-config` names another CA than the instance's.
    func instance() throws -> Instance {
        if let (host, _) = self.remoteConfiguration {
            throw WindowsUsageError(
                "The CA \"\(self.arguments["config"] ?? "")\" is on \(host), and this command works on the CA's own machine",
                advice: "Run it on that machine, or name a local instance with -config.")
        }
        let instance = try self.context.open(self.directory)
        if let (_, name) = self.hostAndName, name.lowercased() != instance.configuration.name.lowercased() {
            throw WindowsUsageError(
                "The instance is the CA \"\(instance.configuration.name)\", not \"\(name)\"",
                advice: "Name the instance's directory with -instance or SIGNET_INSTANCE.")
        }
        return instance
    }

    func instance(for operation: CAOperation, to text: String) async throws -> Instance {
        let instance = try self.instance()
        try await instance.localOperator().mustBeAllowed(operation, to: text)
        return instance
    }

    /// As `-config` names it: `host\CA`.
    func configurationText(_ instance: Instance) -> String {
        "\(ProcessInfo.processInfo.hostName)\\\(instance.configuration.name)"
    }

    /// Where a password comes from. What is no source is a password, and an argument that everybody on the machine can read.
    ///
    /// - Throws: ``WindowsUsageError``; it does not repeat what was given.
    func secretSource(_ option: String = "p") throws -> String {
        try self.secretSource(self.arguments[option] ?? "*", of: option)
    }

    /// - Parameter text: one source of `option`.
    func secretSource(_ text: String, of option: String) throws -> String {
        guard text != "*" else { return "prompt" }
        do { return try PINSource(text).text } catch {
            throw WindowsUsageError(
                "-\(option) was given a password, which every user of this machine can read while the command runs",
                advice: Advice(
                    "Change that password, and name its source: -\(option) * or prompt, file:PATH, env:NAME."))
        }
    }

    func password(_ what: String) throws -> SecretBytes {
        try SecretInput.system.read(PINSource(self.secretSource()), what: what)
    }

    /// Where tokens in the hand are: `-tokenfile`, `-module`, `SIGNET_TOKEN_FILE`; as options of the other commands.
    func tokenOptions() throws -> [String] {
        var options: [String] = []
        if let file = self.arguments["tokenfile"] { options += ["--token-file", file] }
        if let module = self.arguments["module"] { options += ["--module", module] }
        if options.isEmpty, let file = self.environment["SIGNET_TOKEN_FILE"] { options = ["--token-file", file] }
        if self.arguments["pin"] != nil { options += ["--pin", try self.secretSource("pin")] }
        return options
    }

    /// The CA certificates that a recovery agent or requester trusts: `-cacertificates`, `SIGNET_CA_CERTIFICATES`.
    func trustedCertificates() throws -> String {
        guard let path = self.arguments["cacertificates"] ?? self.environment["SIGNET_CA_CERTIFICATES"] else {
            throw WindowsUsageError(
                "The CA certificates that are trusted are not named",
                advice: "Name their PEM file with -cacertificates or SIGNET_CA_CERTIFICATES.")
        }
        return path
    }

    /// Runs the command that the verb stands for.
    func run<C: ContextCommand>(_ type: C.Type, _ options: [String]) async throws {
        try await C.parse(options).run(in: self.context)
    }

    /// A file that is there is replaced with `-f`, else refused.
    func mustBeWritable(_ path: String) throws {
        if FilePaths.exists(path), !self.isForced { throw ServiceError.exists(path, "The file") }
    }

    /// Writes beside the target and renames over it, so that a file that `-f` replaces is never lost.
    func write(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws {
        try self.mustBeWritable(path)
        if self.isForced {
            try FilePaths.replace(path, with: bytes, mode: mode)
        } else {
            try FilePaths.createWhole(path, with: bytes, mode: mode)
        }
    }
}
