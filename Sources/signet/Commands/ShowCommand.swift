import ArgumentParser
import CAService
import KeyProvider
import MessageDescription
import PKIMessages

/// `signet show`
struct ShowCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a certificate, request, response, CRL, CMS message or PKCS#12 in words.",
        discussion: """
            Every extension, attribute and control is named; what is not known is shown as bytes. Signatures are checked \
            where the key is in the message. Private keys are never shown: --private-key tells which key it is, and whether \
            it belongs to the message, when a token that is there has a recipient's key.
            """,
        examples: """
            signet show user.crt
            signet show --password file:pw user.p12
            signet show --private-key --module /usr/lib/softhsm/libsofthsm2.so blob.rec
            """)

    @Option(name: .long, help: "Where the password of a PKCS#12 comes from: prompt, file:PATH or env:NAME.")
    var password = "prompt"

    @Flag(name: .long, help: "Open what is encrypted to a key on one of the tokens, and tell what it is.")
    var privateKey = false

    @Option(name: .long, help: "A recipient's certificate, where the token has none beside the key. May be repeated.")
    var recipient: [String] = []

    @OptionGroup(title: "Tokens for --private-key") var cards: CardOptions

    @Argument(help: "The file: DER, base64, or PEM with one or more blocks.")
    var file: String

    func run(in context: CommandContext) async throws {
        let file = try MessageFile(path: self.file)
        var style = DescriptionStyle.standard
        if self.privateKey, !file.needsPassword {
            style.findings = try await ShowCommand.findings(
                in: file, recipients: self.recipient, self.cards.configurations(), context)
        }
        let lines = try file.lines(style: style) {
            try SecretInput.system.read(PINSource(self.password), what: "the password of \(self.file)")
        }
        for line in lines { Console.say(line) }
    }

    /// What the keys on the tokens open.
    static func findings(
        in file: MessageFile, recipients: [String], _ configurations: [TokenConfiguration], _ context: CommandContext
    ) async throws -> [[UInt8]: [String]] {
        let certificates = try recipients.flatMap { try CertificateBundle.parse(FilePaths.read($0)) }
        let opener = try context.opener()
        var tokens: [any KeyToken] = []
        for configuration in configurations { tokens.append(try await opener.open(configuration)) }
        return try await file.findings(on: tokens, certificates: certificates)
    }
}
