import ArgumentParser
import CAService
import CertificateAuthority

/// An account or a group of this machine.
struct SystemIdentityOptions: ParsableArguments {
    @Option(name: .long, help: "An account of this machine.")
    var systemUser: String?

    @Option(name: .long, help: "A group of this machine.")
    var systemGroup: String?

    func identity() throws -> (IdentityMapping.Source, String) {
        switch (self.systemUser, self.systemGroup) {
        case (let user?, nil): return (.systemUser, user)
        case (nil, let group?): return (.systemGroup, group)
        default: throw ValidationError("Give either --system-user or --system-group.")
        }
    }
}

/// `signet role assign`
struct AssignRole: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "assign", abstract: "Give roles to an account or a group of this machine.",
        discussion: """
            As long as no account and no group has roles, whoever can open the instance's files has all of them. From the \
            first assignment on, everybody has what is assigned to them and to their groups.
            """,
        examples: "signet role assign --system-user olga --role certificate-manager")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var identity: SystemIdentityOptions
    @OptionGroup var roleOptions: RoleOptions

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        let (source, name) = try self.identity.identity()
        let roles = try self.roleOptions.roles()
        try await instance.setIdentity(
            IdentityMapping(source: source, name: name, roles: roles), by: who)
        return "\(source.rawValue) \(name): \(roles.text)"
    }
}

/// `signet role withdraw`
struct WithdrawRole: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw", abstract: "Take the roles of an account or a group of this machine away.",
        examples: "signet role withdraw --system-user olga")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var identity: SystemIdentityOptions

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        let (source, name) = try self.identity.identity()
        try await instance.removeIdentity(source, named: name, by: who)
        return "\(source.rawValue) \(name): removed"
    }
}

/// `signet role list`
struct ListRoles: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List who has which role, and whether role separation is on.",
        examples: "signet role list")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let me = try await instance.localOperator()
        let assignments = try await instance.roleAssignments(for: me)
        Console.table(
            ["Kind", "Name", "Roles", "Stands for"],
            assignments.users.map { ["user", $0.name, $0.roles.text, "-"] }
                + assignments.groups.map { ["group", $0.name, $0.roles.text, "-"] }
                + assignments.identities.map {
                    [$0.source.rawValue, $0.name, $0.roles.text, $0.userName.isEmpty ? "-" : $0.userName]
                })
        Console.say("You are \(me.name): \(me.roles.text)\(me.isInstanceOwner ? "; owner of the instance" : "")")
        Console.say("Role separation: \(assignments.isSeparationEnforced ? "on" : "off")")
    }
}

/// `signet role separation on|off`
struct SetRoleSeparation: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "separation",
        abstract: "Enforce that nobody holds two of administrator, certificate-manager, auditor, backup-operator.",
        discussion: "Only the owner of the instance's directory, or root, may change it.",
        examples: "signet role separation on")

    enum State: String, ExpressibleByArgument, CaseIterable {
        case on
        case off
    }

    @OptionGroup var options: InstanceOptions

    @Argument(help: "on or off.")
    var state: State

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        try await instance.setRoleSeparation(self.state == .on, by: instance.localOperator())
        Console.say("Role separation: \(self.state.rawValue)")
        if try await instance.localOperator().hasRoleConflict {
            Console.say("You hold several roles now in conflict; give roles with `signet role assign`.")
        }
    }
}

/// `signet role restrict`
struct RestrictManager: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "restrict", abstract: "Restrict a certificate manager to requesters' groups and templates.",
        discussion: """
            A manager with restrictions may deal with a request or certificate when one of them allows it and none denies \
            it. The requester counts: their groups are those of `signet group list`.
            """,
        examples: "signet role restrict olga --group staff --template User")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The certificate manager's name.")
    var manager: String

    @Option(name: .long, help: "A group of the instance; * for everybody.")
    var group: String = ManagerRestriction.any

    @Option(name: .long, help: "A template's name; * for every template.")
    var template: String = ManagerRestriction.any

    @Flag(name: .long, help: "Deny what fits, instead of allowing it.")
    var deny = false

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        let restriction = ManagerRestriction(
            manager: self.manager, effect: self.deny ? .deny : .allow, group: self.group, template: self.template)
        try await instance.restrict(restriction, by: who)
        return "\(self.manager): \(restriction.effect.rawValue) group \(self.group), template \(self.template)"
    }
}

/// `signet role unrestrict`
struct UnrestrictManager: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "unrestrict", abstract: "Take all restrictions of a certificate manager away.",
        examples: "signet role unrestrict olga")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The certificate manager's name.")
    var manager: String

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        try await instance.removeRestrictions(of: self.manager, by: who)
        return "\(self.manager): not restricted"
    }
}

/// `signet role restrictions`
struct ListRestrictions: TableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restrictions", abstract: "List what certificate managers are restricted to.",
        examples: "signet role restrictions")

    @OptionGroup var options: InstanceOptions

    static let headings = ["Manager", "Effect", "Group", "Template"]

    func rows(of instance: Instance, for who: Principal) async throws -> [[String]] {
        try await instance.managerRestrictions(for: who)
            .map { [$0.manager, $0.effect.rawValue, $0.group, $0.template] }
    }
}
