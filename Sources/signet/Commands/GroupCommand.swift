import ArgumentParser
import CAService
import CertificateAuthority

/// `signet group add|list|remove|join|leave`
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group", abstract: "Groups of users: their members have their roles.",
        subcommands: [AddGroup.self, ListGroups.self, RemoveGroup.self, JoinGroup.self, LeaveGroup.self])
}

/// `signet group add`
struct AddGroup: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a group, or replace the roles of one.",
        examples: "signet group add officers --role certificate-manager")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var roleOptions: RoleOptions

    @Argument(help: "The group's name.")
    var name: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let roles = try self.roleOptions.roles()
        try await instance.setGroup(self.name, roles: roles, by: instance.localOperator())
        Console.say("Group \(self.name): \(roles.text)")
    }
}

/// `signet group list`
struct ListGroups: TableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the groups with their roles and members.",
        examples: "signet group list")

    @OptionGroup var options: InstanceOptions

    static let headings = ["Group", "Roles", "Members"]

    func rows(of instance: Instance, for who: Principal) async throws -> [[String]] {
        try await instance.roleAssignments(for: who).groups
            .map { [$0.name, $0.roles.text, $0.members.sorted().joined(separator: ", ")] }
    }
}

/// `signet group remove`
struct RemoveGroup: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a group.",
        examples: "signet group remove officers")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The group's name.")
    var name: String

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        try await instance.removeGroup(self.name, by: who)
        return "Group \(self.name) removed."
    }
}

/// `signet group join`
struct JoinGroup: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Make principals members of a group.",
        examples: "signet group join officers olga peter")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The group's name.")
    var name: String

    @Argument(help: "Names of principals, as they stand in requests.")
    var members: [String]

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        try await instance.changeMembers(
            ofGroup: self.name, adding: Set(self.members), removing: [], by: who)
        return "Group \(self.name): added \(self.members.joined(separator: ", "))"
    }
}

/// `signet group leave`
struct LeaveGroup: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "Take principals out of a group.",
        examples: "signet group leave officers peter")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The group's name.")
    var name: String

    @Argument(help: "Names of principals.")
    var members: [String]

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        try await instance.changeMembers(
            ofGroup: self.name, adding: [], removing: Set(self.members), by: who)
        return "Group \(self.name): removed \(self.members.joined(separator: ", "))"
    }
}
