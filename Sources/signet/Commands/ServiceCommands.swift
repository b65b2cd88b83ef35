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
        abstract: "Issue the service's TLS certificate for a key generated on a token, and configure it.")

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

/// `signet audit verify|show`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The audit chain.", subcommands: [VerifyAudit.self, ShowAudit.self])
}

/// `signet audit verify`
struct VerifyAudit: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Recompute every hash of the audit chain.")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let verdict = try await context.open(self.options).verifyAuditChain()
        Console.say("Audit chain verifies: \(verdict.entries) entries, head \(verdict.headHash)")
    }
}

/// `signet audit show`
struct ShowAudit: ContextCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Print the audit trail.")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Begin after this entry.")
    var after: Int64 = 0

    @Option(name: .long, help: "At most that many.")
    var limit = 100

    func run(in context: CommandContext) async throws {
        let (after, limit) = (self.after, self.limit)
        let entries = try await context.open(self.options).storage.read {
            try $0.auditEntries(after: after, limit: limit)
        }
        for entry in entries {
            let details = entry.event.details.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
            Console.say(
                "\(entry.sequence) \(Output.time(entry.event.when)) \(entry.event.id.rawValue) \(entry.event.who) "
                    + details.joined(separator: " "))
        }
    }
}
