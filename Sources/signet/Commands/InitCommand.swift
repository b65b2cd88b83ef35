import ArgumentParser
import CAService
import KeyProvider

/// `signet init root|subordinate`
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make an instance, with the CA key generated on a token.",
        subcommands: [InitRoot.self, InitSubordinate.self])
}

/// What both kinds of CA need.
struct InitOptions: ParsableArguments {
    @Argument(help: "The directory to make. It must not exist.")
    var directory: String

    @Option(name: .long, help: "The CA's name.")
    var name: String

    @Option(name: .long, help: "The CA's distinguished name (RFC 4514), such as 'CN=Example Root CA,O=Example'.")
    var subject: String

    @Option(name: .long, help: "p-256, p-384, p-521, rsa-2048, rsa-3072, rsa-4096 ...")
    var keyAlgorithm: KeyAlgorithmArgument

    @Option(name: .long, help: "http:// address under which CA certificates and CRLs are published.")
    var publicationURL: String

    @Option(name: .long, help: "Address the service listens on.")
    var host = "127.0.0.1"

    @Option(name: .long, help: "Port of the enrolment pages.")
    var port = 8443

    @Option(name: .long, help: "Port on which CA certificates and CRLs are served without TLS.")
    var publicationPort = 8080

    @Option(name: .long, help: "Appended to a requester's name to make a user principal name.")
    var upnSuffix: String?

    @OptionGroup var token: TokenOptions

    func plan(type: InstanceConfiguration.AuthorityType) throws -> InstanceCreation.Plan {
        let configuration = InstanceConfiguration(
            name: self.name, type: type, token: try self.token.configuration(),
            web: .init(
                host: self.host, port: self.port, publicationPort: self.publicationPort,
                publicationURL: self.publicationURL),
            userPrincipalNameSuffix: self.upnSuffix)
        return InstanceCreation.Plan(
            directory: self.directory, configuration: configuration, subject: self.subject,
            keyAlgorithm: self.keyAlgorithm.algorithm)
    }
}

/// `signet init root`
struct InitRoot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "root", abstract: "Make a self-signed root CA.")

    @OptionGroup var options: InitOptions

    @Option(name: .long, help: "How long the CA certificate is valid.")
    var validityYears = 20

    func run() async throws {
        let creation = try InstanceCreation(plan: self.options.plan(type: .root), secrets: .interactive)
        let certificate = try await creation.makeRoot(validityYears: self.validityYears)
        Console.say("Root CA \"\(self.options.name)\" made in \(self.options.directory).")
        Console.say("Certificate SHA-256: \(certificate.thumbprintText)")
        Console.say("Published: \(certificate.publishedPath)")
    }
}

/// `signet init subordinate`
struct InitSubordinate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subordinate", abstract: "Make a CA whose certificate another CA signs.")

    @OptionGroup var options: InitOptions

    @Option(name: .long, help: "Where the PKCS#10 request for the parent CA is written (PEM).")
    var requestOut: String

    func run() async throws {
        let creation = try InstanceCreation(plan: self.options.plan(type: .subordinate), secrets: .interactive)
        let request = try await creation.makeSubordinate {
            try Output.writePEM($0, label: "CERTIFICATE REQUEST", to: self.requestOut)
        }
        Console.say("CA \"\(self.options.name)\" made in \(self.options.directory); it waits for its certificate.")
        Console.say("Request (\(request.count) bytes): \(self.requestOut)")
        Console.say(
            "Next: have it signed by the parent, then: signet ca install --instance \(self.options.directory) ...")
    }
}
