import ArgumentParser
import CAService
import CertificateAuthority

/// `signet move token`
struct MoveToToken: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Move the CA's keys to another token, step by step.",
        discussion: """
            Keys that were made with `signet init ... --copyable-key` are copied, encrypted from token to token. Other keys stay \
            where they are, and sign their CRLs there until their certificates end: the CA gets a new key on the new token, \
            which its parent certifies, or which a root ties to the one before it. Every step is checked before the next one. \
            What is done is read from the instance and the tokens, so that the same command goes on after an interruption, or \
            when somebody has done what it waits for. signetd must not run meanwhile. See docs/operations.md.
            """,
        examples: """
            signet move token --to new-hsm.yaml --name hsm2 --status --instance /srv/issuing
            signet move token --to new-hsm.yaml --name hsm2 --instance /srv/issuing
            signet move token --to new-hsm.yaml --name hsm2 --request new-key.req --instance /srv/issuing
            """)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "A YAML file that describes the token, with the keys of `tokens:` in signet.yaml.")
    var to: String

    @Option(name: .long, help: "What the token is called in signet.yaml.")
    var name: String

    @Flag(name: .long, help: "Make a new key, also where the keys in place could be copied.")
    var newKey = false

    @Option(name: .long, help: "Subordinate CA with a new key: where the request for the parent is written (PEM).")
    var request: String?

    @Flag(name: .long, help: "Show the steps, and carry none out.")
    var status = false

    @Flag(name: .long, help: "Carry out the next step alone.")
    var step = false

    func validate() throws {
        guard !self.status || !self.step else { throw ValidationError("Name one of --status and --step.") }
    }

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let save = self.request.map { path in
            { @Sendable (request: [UInt8]) in
                try Output.writePEM(request, label: AuthorityRenewal.RequestForm.pkcs10.label, to: path)
            }
        }
        var migration = try await TokenMigration(
            TokenMigrationOrder(
                name: self.name, token: TokenConfiguration(path: self.to), wantsNewKey: self.newKey, saveRequest: save),
            of: instance, by: instance.localOperator())
        if !self.status {
            while let done = try await migration.carryOutNext() {
                Console.say("\(done.step.rawValue): \(done.state.text)")
                if self.step { break }
            }
        }
        let all = try await migration.status()
        if self.status { for status in all { Console.say("\(status.step.rawValue): \(status.state.text)") } }
        if let next = all.first(where: { !$0.state.isSettled }) {
            Console.say("Next: \(next.step.rawValue): \(next.state.text)")
        } else {
            Console.say("The CA has moved to \(self.name).")
            if let last = all.last { Console.say(last.state.text) }
        }
    }
}

extension TokenMigration.State {
    fileprivate var text: String {
        switch self {
        case .done(let what): "done: \(what)"
        case .notNeeded(let why): "not needed: \(why)"
        case .due(let what): what
        case .waiting(let what): what
        case .later: "later"
        }
    }
}
