import ArgumentParser
import CAService
import CertificateAuthority

/// `signet backup replaced`
struct ReplacedInstances: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "replaced", abstract: "List the instances that restores have replaced, or remove some.",
        discussion: """
            `restore --force` and `certutil -restoredb` keep the instance that was there beside the new one. It has what was not \
            taken over, such as requests and archived keys since the backup, and it has PIN files. It does not open; \
            docs/operations.md says how to go back to it. One is removed only when each key of the CA has worked.
            """,
        examples: """
            signet backup replaced --instance /srv/issuing
            signet backup replaced --remove /srv/issuing.before-restore-20261121T101500Z --instance /srv/issuing
            """)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "A directory of the list, to be removed for ever. May be repeated.")
    var remove: [String] = []

    func run(in context: CommandContext) async throws {
        let instance = try await context.open(self.options, for: .restore, to: "see what restores have replaced")
        let who = try await instance.localOperator()
        guard self.remove.isEmpty else {
            for directory in self.remove {
                try await instance.removeReplaced(directory, by: who)
                Console.say("Removed: \(directory)")
            }
            return
        }
        let replaced = try instance.replacedInstances(for: who)
        guard !replaced.isEmpty else { return Console.say("No restore has left anything.") }
        Console.table(
            ["Directory", "Replaced", "By", "Bytes"],
            replaced.map { [$0.directory, $0.when ?? "?", $0.who ?? "?", "\($0.byteCount)"] })
    }
}
