import ArgumentParser
import CAService
import Diagnostics
import Glibc

/// The operator's, requester's and recovery agent's tool.
@main
struct Signet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signet",
        abstract: "A certification authority whose keys live on PKCS#11 tokens.",
        discussion: """
            A PIN or password is never an argument: where one is needed, name its source as
            prompt, file:PATH (mode 0600) or env:NAME.
            --trace-pkcs11 FILE, anywhere, records every call into a token's module with its time, and never data or PINs.
            """,
        version: CAServiceVersion.text,
        subcommands: [
            InitCommand.self, AuthorityCommand.self, RequestCommand.self, CertificateCommand.self, CRLCommand.self,
            CaseCommand.self, ExpiringCommand.self, ShowCommand.self,
            RecoveryAgentCommand.self, KeyCommand.self, RecoverCommand.self, UserCommand.self, GroupCommand.self,
            WebCommand.self,
            TokenCommand.self,
            ProfileCommand.self, ExplainCommand.self, SimulatorCommand.self,
            TemplateCommand.self, AuditCommand.self, DatabaseCommand.self, RoleCommand.self, CeremonyCommand.self,
            CertutilCommand.self, CertreqCommand.self,
            BackupCommand.self, RestoreCommand.self, MoveCommand.self,
        ])

    /// Renders errors here and nowhere else: what, facts, token, code, hints.
    static func main() async {
        do {
            try ProcessHardening.begin()
            let arguments = try Signet.argumentsWithoutTrace()
            if let tool = WindowsTool.named(CommandLine.arguments[0]) { Glibc.exit(await tool.run(arguments)) }
            try await Signet.perform(arguments)
        } catch let error as UsageError {
            Console.complain(error.text)
            Glibc.exit(Signet.exitCode(for: error.error).rawValue)
        } catch let error where Signet.belongsToParser(error) {
            Signet.exit(withError: error)
        } catch {
            let lines = ErrorReport(error).lines(tokenOptions: Signet.tokenOptions(CommandLine.arguments))
            Console.complain("error: " + lines[0])
            for line in lines.dropFirst() { Console.complain("  " + line) }
            Glibc.exit(1)
        }
    }

    /// Runs a command line, without the program's name.
    ///
    /// - Throws: ``UsageError`` for options that do not go together; what the parser and the command throw.
    static func perform(_ arguments: [String]) async throws {
        var command = try Signet.parseAsRoot(arguments)
        do {
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as ValidationError {
            throw UsageError(error: error, usage: Signet.usageString(for: type(of: command)))
        }
    }

    /// How this command was told its token, for the next command that an error report names.
    private static func tokenOptions(_ arguments: [String]) -> String {
        let names = ["--instance", "--token-name", "--token-file", "--module", "--module-arguments", "--token"]
        var options: [String] = []
        for (index, argument) in arguments.enumerated() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = parts.first, names.contains(name) else { continue }
            let value = parts.count == 2 ? parts[1] : arguments.dropFirst(index + 1).first ?? ""
            options.append("\(name) \(Signet.quotedForShell(value))")
        }
        return options.isEmpty ? "--token-file TOKEN.yaml" : options.joined(separator: " ")
    }

    private static func quotedForShell(_ text: String) -> String {
        let plain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-:=%+,".contains($0)) }
        return plain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }

    /// Takes `--trace-pkcs11 FILE` out of the arguments, wherever it stands, and into the environment, which every command
    /// and the service read it from.
    private static func argumentsWithoutTrace() throws -> [String] {
        var arguments = Array(CommandLine.arguments.dropFirst())
        guard let index = arguments.firstIndex(where: { $0 == "--trace-pkcs11" || $0.hasPrefix("--trace-pkcs11=") })
        else {
            return arguments
        }
        let parts = arguments.remove(at: index).split(separator: "=", maxSplits: 1)
        if parts.count == 1, index >= arguments.count { throw ValidationError("--trace-pkcs11 takes a file.") }
        setenv(TokenRecords.traceVariable, parts.count == 2 ? String(parts[1]) : arguments.remove(at: index), 1)
        return arguments
    }

    /// Usage errors, `--help` and explicit exit codes are ArgumentParser's to print.
    static func belongsToParser(_ error: any Error) -> Bool {
        !(error is any DiagnosableError) && Signet.exitCode(for: error) != .failure
            || error is ValidationError || error is ExitCode || error is CleanExit
    }
}

/// A command that runs found that its options do not go together. The parser would show the usage of `signet` then, for it
/// does not know any more which command it was.
struct UsageError: Error {
    let error: ValidationError
    let usage: String

    /// As the parser words its own.
    var text: String { "Error: \(self.error.message)\nUsage: \(self.usage)" }
}
