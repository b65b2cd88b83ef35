import ArgumentParser
import CAService
import CertificateAuthority

/// `signet user add|list`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users of the enrolment service.",
        subcommands: [AddUser.self, ListUsers.self])
}

/// `signet user add`
struct AddUser: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a user, or change password and roles of one.")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "The user's name, bare or DOMAIN\\user.")
    var name: String

    @Option(name: .long, help: "Where the password comes from: prompt, file:PATH or env:NAME.")
    var password: String = "prompt"

    @Option(
        name: .long,
        help: "enrollee, reader, certificate-manager, auditor, backup-operator or administrator. May be repeated.")
    var role: [String] = ["enrollee"]

    func run(in context: CommandContext) async throws {
        let roles = try self.role.map { text in
            guard let role = Role(rawValue: text) else { throw ValidationError("There is no role \"\(text)\".") }
            return role
        }
        let instance = try context.open(self.options)
        let password = try SecretInput.system.readNew(PINSource(self.password), what: "the password of \(self.name)")
        try await instance.setUser(self.name, password: password, roles: Set(roles), by: .localOperator)
        Console.say("User \(self.name): \(roles.map(\.rawValue).joined(separator: ", "))")
    }
}

/// `signet user list`
struct ListUsers: ContextCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the users and their roles.")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let users = try await context.open(self.options).storage.read { try $0.users() }
        Console.table(
            ["User", "Roles"],
            users.map { [$0.name, $0.roles.map(\.rawValue).sorted().joined(separator: ", ")] })
    }
}

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
            dnsNames: self.dnsName, keyToken: self.keyToken, by: .localOperator)
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

/// `signet template list`
struct TemplateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Certificate templates.", subcommands: [ListTemplates.self])
}

/// `signet template list`
struct ListTemplates: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the templates this CA issues by.")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        Console.table(
            ["Name", "Display name", "Version", "OID"],
            try context.open(self.options).templates.map { template in
                [
                    template.name, template.displayName, "\(template.majorVersion).\(template.minorVersion)",
                    template.oid,
                ]
            })
    }
}
