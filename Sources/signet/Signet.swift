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
            RecoveryAgentCommand.self, KeyCommand.self, UserCommand.self, WebCommand.self, TokenCommand.self,
            ProfileCommand.self, ExplainCommand.self, SimulatorCommand.self,
            TemplateCommand.self, AuditCommand.self, RoleCommand.self,
        ])

    /// Renders errors here and nowhere else: what, facts, token, code, hints.
    static func main() async {
        ProcessHardening.forbidCoreDumps()
        do {
            var command = try Signet.parseAsRoot(Signet.argumentsWithoutTrace())
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error where Signet.belongsToParser(error) {
            Signet.exit(withError: error)
        } catch {
            let lines = ErrorReport(error).lines
            Console.complain("error: " + lines[0])
            for line in lines.dropFirst() { Console.complain("  " + line) }
            Glibc.exit(1)
        }
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
    private static func belongsToParser(_ error: any Error) -> Bool {
        !(error is any DiagnosableError) && Signet.exitCode(for: error) != .failure
            || error is ValidationError || error is ExitCode || error is CleanExit
    }
}
