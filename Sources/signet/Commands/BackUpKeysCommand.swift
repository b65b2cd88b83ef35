import ArgumentParser
import CAService
import CertificateAuthority
import KeyProvider

/// `signet backup keys`
struct BackUpKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Copy the CA's keys to a backup token, encrypted from token to token.",
        discussion: """
            Of keys that were made with `signet init ... --copyable-key`. The backup token is a spare one afterwards: prove it with \
            `signet backup verify --scratch DIR --spare-token NAME=FILE`, and keep it elsewhere. A key that it has already stays.
            """,
        examples: "signet backup keys --instance /srv/issuing --to spare.yaml")

    @OptionGroup var options: InstanceOptions

    @Option(
        name: .long, help: "A YAML file that describes the backup token, with the keys of `tokens:` in signet.yaml.")
    var to: String

    func run(in context: CommandContext) async throws {
        let instance = try await context.open(self.options, for: .backUp, to: "back the CA's keys up")
        // Of the instance: both tokens may be behind one module.
        let target = try await instance.tokens.open(TokenConfiguration(path: self.to))
        for key in try await instance.copyKeys(to: target, by: instance.localOperator()) {
            Console.say("CA key \(key.keyIndex): \(key.copy.map { "copied and proven \($0)" } ?? "there already")")
        }
    }
}
