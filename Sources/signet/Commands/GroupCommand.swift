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
        commandName: "add", abstract: "Add a group, or replace the roles of one.")

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
struct ListGroups: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the groups with their roles and members.")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let groups = try await context.open(self.options, for: .readPermissions, to: "list groups").storage.read {
            try $0.groups()
        }
        Console.table(
            ["Group", "Roles", "Members"],
            groups.map { [$0.name, $0.roles.text, $0.members.sorted().joined(separator: ", ")] })
    }
}

/// `signet group remove`
struct RemoveGroup: ContextCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove a group.")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The group's name.")
    var name: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        try await instance.removeGroup(self.name, by: instance.localOperator())
        Console.say("Group \(self.name) removed.")
    }
}

/// `signet group join`
struct JoinGroup: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Make principals members of a group.")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The group's name.")
    var name: String

    @Argument(help: "Names of principals, as they stand in requests.")
    var members: [String]

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        try await instance.changeMembers(
            ofGroup: self.name, adding: Set(self.members), removing: [], by: instance.localOperator())
        Console.say("Group \(self.name): added \(self.members.joined(separator: ", "))")
    }
}

/// `signet group leave`
struct LeaveGroup: ContextCommand {
    static let configuration = CommandConfiguration(commandName: "leave", abstract: "Take principals out of a group.")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The group's name.")
    var name: String

    @Argument(help: "Names of principals.")
    var members: [String]

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        try await instance.changeMembers(
            ofGroup: self.name, adding: [], removing: Set(self.members), by: instance.localOperator())
        Console.say("Group \(self.name): removed \(self.members.joined(separator: ", "))")
    }
}
