import CAService
import CertificateAuthority

/// A command that prints a table of what an instance has.
protocol TableCommand: ContextCommand {
    var options: InstanceOptions { get }
    static var headings: [String] { get }

    func rows(of instance: Instance, for who: Principal) async throws -> [[String]]
}

extension TableCommand {
    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        Console.table(Self.headings, try await self.rows(of: instance, for: instance.localOperator()))
    }
}

/// A command by which an operator changes something of an instance.
protocol ChangeCommand: ContextCommand {
    var options: InstanceOptions { get }

    /// - Returns: what to tell.
    func change(_ instance: Instance, by who: Principal) async throws -> String
}

extension ChangeCommand {
    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        Console.say(try await self.change(instance, by: instance.localOperator()))
    }
}
