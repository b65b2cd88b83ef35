import ArgumentParser
import CAService
import CertificateAuthority

/// `signet ca forbid-extraction`
struct ForbidExtraction: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "forbid-extraction",
        abstract: "Make extractable CA keys non-extractable, for ever.",
        discussion: """
            Keys of `init ... --import-pkcs12 FILE --extractable` and of `init ... --copyable-key`: no PKCS #12 and no copy can be \
            made of them from then on. The token sets CKA_EXTRACTABLE to false, and lets nobody take that back.
            """,
        examples: "signet ca forbid-extraction --instance /srv/old --confirm")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Only that key: 0 is the CA's first one.")
    var keyIndex: Int?

    @Flag(name: .long, help: "The backup of the keys is made; do not ask.")
    var confirm = false

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let who = try await instance.localOperator()
        let extractable = try await instance.extractableKeys(self.keyIndex, for: who)
        guard !extractable.isEmpty else { return Console.say("No key is extractable.") }
        for key in extractable { Console.say("Extractable: \(key)") }
        let name = instance.configuration.name
        guard self.confirm || Terminal.confirm("To end that for ever, type the CA's name (\(name)): ", answer: name)
        else {
            Console.say("Nothing was changed.")
            throw ExitCode(3)
        }
        for key in try await instance.forbidExtraction(self.keyIndex, by: who) {
            Console.say("Not extractable any more: \(key)")
        }
    }
}
