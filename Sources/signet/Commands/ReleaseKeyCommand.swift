import ArgumentParser
import CAService

/// `signet ca release-key`
struct ReleaseKey: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "release-key",
        abstract: "Let a CA key sign again that was stopped by a wrong signature or at a restoration.",
        discussion: "Only after somebody has examined the token. A running signetd uses the key at once.",
        examples: "signet ca release-key --instance /srv/root")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        for key in try await instance.releaseKeys(by: instance.localOperator()) { Console.say("Released: \(key)") }
    }
}
