import ArgumentParser
import CAService
import CertificateAuthority

/// `signet web certificate`
struct WebCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "web", abstract: "The enrolment service's own set-up.", subcommands: [WebCertificate.self])
}

/// `signet web certificate`
struct WebCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate",
        abstract: "Issue the service's TLS certificate for a key generated on a token, and configure it.",
        examples: "signet web certificate --dns-name ca.example.com --key-token hsm")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "A DNS name of the service. May be repeated.")
    var dnsName: [String]

    @Option(name: .long, help: "Which token of signet.yaml gets the key.")
    var keyToken: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let path = try await instance.enrollWebServer(
            dnsNames: self.dnsName, keyToken: self.keyToken, by: instance.localOperator())
        Console.say("TLS certificate for \(self.dnsName.joined(separator: ", ")): \(path)")
    }
}
