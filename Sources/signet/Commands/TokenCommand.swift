import ArgumentParser
import CAService
import CertificateAuthority
import KeyProvider

/// `signet token init|list|capacity|retire|doctor|unblock`
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "HSMs and smart cards.",
        subcommands: [
            InitToken.self, ListToken.self, TokenCapacityCommand.self, RetireKeys.self, DoctorCommand.self,
            UnblockToken.self,
        ])
}

/// `signet token init`
struct InitToken: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Initialise an empty token: label, security officer's PIN and user PIN.",
        discussion: "A token that is initialised already is refused; wiping one is left to the device's own tools.",
        examples: "signet token init --token-file card.yaml --so-pin prompt")

    @OptionGroup var token: TokenOptions

    @Option(name: .long, help: "Where the security officer's PIN comes from: prompt, file:PATH or env:NAME.")
    var soPin: String = "prompt"

    func run(in context: CommandContext) async throws {
        let initialized = try await context.opener().initialize(
            self.token.configuration(), securityOfficerPIN: PINSource(self.soPin))
        Console.say("Token \(initialized) is ready.")
    }
}

/// `signet token list`
struct ListToken: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the key pairs on a token, with what the token says of them.",
        examples: """
            signet token list --module /usr/lib/softhsm/libsofthsm2.so
            signet token list --instance /srv/root
            """)

    @OptionGroup var options: AnyTokenOptions

    func run(in context: CommandContext) async throws {
        let (configuration, opener, _) = try await self.options.resolve(in: context, to: .readConfiguration)
        let token = try await opener.open(configuration)
        Console.say("Token \(token.identification), profile \(token.profileName)")
        Console.table(
            ["Label", "Algorithm", "Private", "Sensitive", "Never extractable", "Local", "Reference"],
            try await token.keyPairs().map { pair in
                let said: (Bool?) -> String = { value in value.map { $0 ? "yes" : "NO" } ?? "unknown" }
                return [
                    pair.label, "\(pair.algorithm)", said(pair.attributes.isPrivate), said(pair.attributes.sensitive),
                    said(pair.attributes.neverExtractable), said(pair.attributes.local), "\(pair.locator.reference)",
                ]
            })
    }
}
