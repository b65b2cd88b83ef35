import ArgumentParser
import CAService
import CertificateAuthority

/// `signet user add|list|remove|set-roles|map|unmap`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users of the instance.",
        subcommands: [AddUser.self, ListUsers.self, RemoveUser.self, SetUserRoles.self, MapUser.self, UnmapUser.self])
}

/// `signet user add`
struct AddUser: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a user, or change password and roles of one.",
        examples: """
            signet user add --name alice --password prompt
            signet user add --name olga --role certificate-manager --no-password
            """)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var roleOptions: RoleOptions

    @Option(name: .long, help: "The user's name, bare or DOMAIN\\user.")
    var name: String

    @Option(name: .long, help: "Where the password comes from: prompt, file:PATH or env:NAME.")
    var password: String = "prompt"

    @Flag(name: .long, help: "Without a password: the user comes with a TLS client certificate (signet user map).")
    var noPassword = false

    func run(in context: CommandContext) async throws {
        let roles = try self.roleOptions.role.isEmpty ? [.enrollee] : self.roleOptions.roles()
        let instance = try context.open(self.options)
        let password =
            try self.noPassword
            ? nil
            : SecretInput.system.readNew(PINSource(self.password), what: "the password of \(self.name)")
        try await instance.setUser(self.name, password: password, roles: roles, by: instance.localOperator())
        Console.say("User \(self.name): \(roles.text)")
    }
}

/// `signet user list`
struct ListUsers: TableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the users and their roles.",
        examples: "signet user list")

    @OptionGroup var options: InstanceOptions

    static let headings = ["User", "Roles", "Groups"]

    func rows(of instance: Instance, for who: Principal) async throws -> [[String]] {
        let assignments = try await instance.roleAssignments(for: who)
        return assignments.users.map { user in
            [user.name, user.roles.text, assignments.groups(of: user).joined(separator: ", ")]
        }
    }
}

/// `signet user remove`
struct RemoveUser: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a user.",
        examples: "signet user remove alice")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The user's name.")
    var name: String

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        try await instance.removeUser(self.name, by: who)
        return "User \(self.name) removed."
    }
}

/// `signet user set-roles`
struct SetUserRoles: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-roles", abstract: "Replace the roles of a user; none when no --role is given.",
        examples: "signet user set-roles olga --role certificate-manager --role auditor")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var roleOptions: RoleOptions

    @Argument(help: "The user's name.")
    var name: String

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        let roles = try self.roleOptions.roles()
        try await instance.setRoles(roles, ofUser: self.name, by: who)
        return "User \(self.name): \(roles.text)"
    }
}

/// What of a TLS client certificate stands for a user.
struct CertificateIdentityOptions: ParsableArguments {
    @Option(name: .long, help: "The subject, as RFC 4514 text.")
    var certificateSubject: String?

    @Option(name: .long, help: "A DNS name, e-mail address or UPN.")
    var certificateName: String?

    @Option(name: .long, help: "The SHA-256 of the certificate, hexadecimal.")
    var certificateThumbprint: String?

    /// - Throws: a usage error unless exactly one is given.
    func identity() throws -> (IdentityMapping.Source, String) {
        let given: [(IdentityMapping.Source, String)] = [
            self.certificateSubject.map { (.certificateSubject, $0) },
            self.certificateName.map { (.certificateName, $0) },
            self.certificateThumbprint.map {
                (.certificateThumbprint, $0.lowercased().filter { $0 != ":" && $0 != " " })
            },
        ].compactMap { $0 }
        guard given.count == 1 else {
            throw ValidationError(
                "Give one of --certificate-subject, --certificate-name and --certificate-thumbprint.")
        }
        return given[0]
    }
}

/// `signet user map`
struct MapUser: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Let a TLS client certificate stand for a user.",
        examples: """
            signet user map olga --certificate-subject "CN=Olga,O=Example"
            """)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var certificate: CertificateIdentityOptions

    @Argument(help: "The user's name.")
    var name: String

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        let (source, value) = try self.certificate.identity()
        try await instance.setIdentity(
            IdentityMapping(source: source, name: value, userName: self.name), by: who)
        return "\(source.rawValue) \(value): user \(self.name)"
    }
}

/// `signet user unmap`
struct UnmapUser: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmap", abstract: "Let a TLS client certificate stand for nobody.",
        examples: """
            signet user unmap --certificate-subject "CN=Olga,O=Example"
            """)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var certificate: CertificateIdentityOptions

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        let (source, value) = try self.certificate.identity()
        try await instance.removeIdentity(source, named: value, by: who)
        return "\(source.rawValue) \(value): removed"
    }
}
