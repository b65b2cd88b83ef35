import ArgumentParser
import CAService
import CertificateAuthority
import KeyProvider

/// `signet backup keys`
struct BackUpKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract:
            "Copy the CA's keys to a backup token, encrypted from token to token, or imported ones into a PKCS #12.",
        discussion: """
            To a token: keys that were made with `signet init ... --copyable-key`. The backup token is a spare one then: \
            prove it with `signet backup verify --scratch DIR --spare-token NAME=FILE`, and keep it elsewhere. A key that it has \
            already stays. Into a PKCS #12, with the certificates: keys that were imported with `--extractable`, until \
            `signet ca forbid-extraction`.
            """,
        examples: #"""
            signet backup keys --instance /srv/issuing --to spare.yaml
            signet backup keys --instance /srv/old --pkcs12 old-ca.p12 --password prompt
            """#)

    @OptionGroup var options: InstanceOptions

    @Option(
        name: .long, help: "A YAML file that describes the backup token, with the keys of `tokens:` in signet.yaml.")
    var to: String?

    @Option(name: .customLong("pkcs12"), help: "The PKCS #12 to write.")
    var keyFile: String?

    @Option(name: .long, help: "Where the password of the PKCS #12 comes from: prompt, file:PATH or env:NAME.")
    var password: String?

    @Option(name: .long, help: "Only that key in the PKCS #12: 0 is the CA's first one.")
    var keyIndex: Int?

    @Flag(name: .shortAndLong, help: "Replace the PKCS #12 that is there, when the new one is whole.")
    var force = false

    func validate() throws {
        guard (self.to == nil) != (self.keyFile == nil) else {
            throw ValidationError("Name one of --to and --pkcs12.")
        }
        guard self.keyFile != nil || (self.password == nil && self.keyIndex == nil && !self.force) else {
            throw ValidationError("--password, --key-index and --force are for --pkcs12.")
        }
        guard self.keyFile == nil || self.password != nil else {
            throw ValidationError("Say with --password where the password of the PKCS #12 comes from.")
        }
    }

    func run(in context: CommandContext) async throws {
        let instance = try await context.open(self.options, for: .backUp, to: "back the CA's keys up")
        if let to = self.to { return try await self.copy(to, of: instance) }
        guard let file = self.keyFile, let password = self.password else { return }
        let keys = try await instance.writeKeys(
            KeyFileOrder(file: file, keyIndex: self.keyIndex, replaces: self.force) {
                try SecretInput.system.readNew(PINSource(password), what: "a password for the PKCS #12")
            }, by: instance.localOperator())
        for index in keys { Console.say("CA key \(index): in \(file)") }
    }

    private func copy(_ to: String, of instance: Instance) async throws {
        // Of the instance: both tokens may be behind one module.
        let target = try await instance.tokens.open(TokenConfiguration(path: to))
        for key in try await instance.copyKeys(to: target, by: instance.localOperator()) {
            Console.say("CA key \(key.keyIndex): \(key.copy.map { "copied and proven \($0)" } ?? "there already")")
        }
    }
}
