import ArgumentParser
import CertificateAuthority

/// `signet role …`
struct RoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Who may do what.",
        subcommands: [
            ShowRoleMatrix.self, ListRoles.self, AssignRole.self, WithdrawRole.self, SetRoleSeparation.self,
            RestrictManager.self, UnrestrictManager.self, ListRestrictions.self,
        ])
}

/// `signet role matrix`
struct ShowRoleMatrix: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix", abstract: "Print the table of operations and roles.",
        discussion: "\"x\": the role suffices. \"+\": all roles so marked are needed in one person.",
        examples: "signet role matrix")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() throws {
        let matrix = RoleMatrix.current
        if self.json { return try Console.json(matrix) }
        Console.table(
            ["Operation"] + matrix.roles + ["instance owner", "otherwise"],
            matrix.operations.map { row in
                [row.operation] + matrix.roles.map { ShowRoleMatrix.mark($0, row) }
                    + [row.instanceOwner ? "x" : "-", row.otherwise ?? "-"]
            })
        Console.say("Of \(matrix.separatedRoles.joined(separator: ", "))")
        Console.say("nobody may hold two while role separation is on (0x80094008).")
    }

    private static func mark(_ role: String, _ row: RoleMatrix.Row) -> String {
        guard row.roles.contains(role) else { return "-" }
        return row.needsAllRoles ? "+" : "x"
    }
}
