import ArgumentParser
import BackupSets
import CAService
import CertificateAuthority
import PKIMessages
import SecretMemory

/// `signet move plan|export|import|undo`
struct MoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move", abstract: "Move a CA to another directory, machine, host name or token.",
        subcommands: [PlanMove.self, ExportMove.self, ImportMove.self, UndoMove.self, MoveToToken.self])
}

/// `signet move plan`
struct PlanMove: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what has to be done, what moves, what does not, and what must stay the same.",
        examples: "signet move plan --instance /srv/issuing")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let plan = try await instance.movePlan(for: instance.localOperator())
        Console.say("CA: \(plan.authority). The name stays the same; host name, paths and ports may change.")
        Console.say("In the backup: database with audit chain and archived keys, signet.yaml, CRLs, these templates:")
        for name in plan.templates { Console.say("  \(name)") }
        Console.say("Not in the backup, to be at the new place: the tokens with these keys:")
        for key in plan.keys { Console.say("  \(key)") }
        self.say("Not in the backup, to be put there by hand, with mode 0600 where they are secret:", plan.files)
        self.say("Programs of this machine that the configuration names:", plan.programs)
        if let database = plan.database {
            Console.say("The database is at \(database); at the new place it is in the instance's directory.")
        }
        self.say("Accounts of this machine that have roles; at the new place they need the same names:", plan.accounts)
        Console.say("In certificates that were issued, and to be served for as long as these are valid:")
        for address in plan.addresses { Console.say("  \(address)/ca/") }
        Console.say("Steps:")
        let steps = [
            "stop signetd here",
            "signet move export --instance \(self.options.instance) --password prompt DIR",
            "take DIR, the tokens and the files above to the new place; here the CA does not open any more",
            "signet move import --instance NEW --authority-sha256 SHA256 DIR",
            "change host name, ports and paths in NEW/signet.yaml; leave `name` and the addresses that are published",
            "signet crl publish --instance NEW, and start signetd there",
        ]
        for (number, step) in steps.enumerated() { Console.say("  \(number + 1). \(step)") }
        Console.say("To another token on this machine: signet move token --status --to FILE --name NAME")
    }

    private func say(_ heading: String, _ items: [String]) {
        guard !items.isEmpty else { return }
        Console.say(heading)
        for item in items { Console.say("  \(item)") }
    }
}

/// `signet move export`
struct ExportMove: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Back the CA up for the last time here, and retire the instance.",
        discussion: """
            signetd must not run, and nobody else may have the instance open. Afterwards the CA does not open here any more \
            (0x80094006), so that two never sign at once.
            """,
        examples: "signet move export /backup/move --instance /srv/issuing --password prompt")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Where the backup's password comes from: prompt, file:PATH or env:NAME.")
    var password: String

    @Argument(help: "The directory to make.")
    var directory: String

    func run(in context: CommandContext) async throws {
        let instance = try await context.open(self.options, for: .backUp, to: "move the CA")
        let authority = try await instance.authority(settling: true)
        let recipients = try BackupRecipients(
            certificates: [],
            password: SecretInput.system.readNew(PINSource(self.password), what: "a password for the backup"))
        let meter = ProgressMeter()
        let made = try await authority.moveAway(
            BackupOrder(directory: self.directory, recipients: recipients, progress: meter.show),
            by: authority.localOperator())
        meter.finish()
        Console.say("Backup \(made.manifest.backupID), verified: \(made.directory)")
        Console.say("CA certificate SHA-256: \(made.manifest.authoritySHA256)")
        Console.say("The CA does not open any more in \(self.options.instance).")
    }
}

/// `signet move import`
struct ImportMove: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Restore a CA that was moved, prove its keys, and compare its templates.",
        examples: "signet move import /backup/move --instance /srv/issuing --authority-sha256 0123456789abcdef...")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var opening: BackupOpenerOptions
    @OptionGroup var spare: SpareTokenOptions

    @Option(name: .long, help: "SHA-256 of the CA certificate, or of one above it, hexadecimal.")
    var authoritySHA256: String

    @Argument(help: "The directory that `signet move export` has made.")
    var directory: String

    func run(in context: CommandContext) async throws {
        let opener = try await self.opening.neededOpener(in: context)
        let meter = ProgressMeter()
        let order = RestoreOrder(
            backups: [self.directory], instance: self.options.instance, opener: opener,
            authoritySHA256: try CertificateHashArgument.bytes(self.authoritySHA256),
            tokens: try self.spare.configurations(), progress: meter.show)
        let done = try await Restoration(order, secrets: .interactive).run()
        meter.finish()
        Console.say("\"\(done.manifest.authority)\" as of \(done.manifest.createdWhen): \(self.options.instance)")
        for file in done.missingSecrets { Console.say("To be put there: \(file)") }
        if let place = done.formerDatabase { Console.say("The database was at \(place), and is in the instance now.") }
        Console.say(try Instance.templateComparison(in: self.options.instance, since: done.manifest))
        for key in done.keys { key.tell() }
        guard done.keys.allSatisfy({ $0.state == .proven }) else { throw ExitCode(2) }
    }
}

/// `signet move undo`
struct UndoMove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Let a CA work again where it was, because it did not arrive elsewhere.",
        examples: "signet move undo --instance /srv/issuing --confirm")

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "The CA is in use nowhere else.")
    var confirm = false

    func validate() throws {
        guard self.confirm else {
            throw ValidationError(
                "Two places that sign as one CA give numbers twice: --confirm says that there is no other.")
        }
    }

    func run() async throws {
        try await Instance.undoMove(self.options.instance, secrets: .interactive)
        Console.say("The CA works again in \(self.options.instance).")
    }
}
