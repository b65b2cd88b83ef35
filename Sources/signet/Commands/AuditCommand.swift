import ArgumentParser
import CAService
import CertificateAuthority

/// `signet audit verify|show|export|sign|filter`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The audit chain.",
        subcommands: [VerifyAudit.self, ShowAudit.self, ExportAudit.self, SignAudit.self, AuditFilterCommand.self])
}

/// `signet audit verify`
struct VerifyAudit: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the audit chain, its signed heads, and that every use of the CA key has its object.",
        discussion: """
            With --file and --ca-certificate, an exported file is checked without the instance. Keep the printed head \
            elsewhere and give it back with --expect-head: that finds a chain that was cut together with its signed heads.
            """,
        examples: """
            signet audit verify --all-signed
            signet audit verify --file audit.json --ca-certificate ca.crt
            """)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "An exported audit trail, instead of an instance.")
    var file: String?

    @Option(name: .long, help: "With --file: a certificate of the CA, PEM or DER. May be repeated.")
    var caCertificate: [String] = []

    @Option(name: .long, help: "SEQUENCE:HASH of an entry that the chain must contain.")
    var expectHead: String?

    @Flag(name: .long, help: "Every entry must be under a signed head.")
    var allSigned = false

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (self.file == nil) == self.caCertificate.isEmpty else {
            throw ValidationError("--file and --ca-certificate belong together.")
        }
    }

    func run(in context: CommandContext) async throws {
        let expected = try self.expectHead.map { text in
            guard let head = ExpectedAuditHead(text) else {
                throw ValidationError("--expect-head takes SEQUENCE:HASH, as this command prints it.")
            }
            return head
        }
        let wanted = AuditVerificationOptions(expectedHead: expected, requiresSignature: self.allSigned)
        let verdict: AuditVerdict
        if let file = self.file {
            verdict = try AuditFile.verify(
                file, certificates: self.caCertificate.map { try Output.readDER($0, what: $0) }, wanted)
        } else {
            let instance = try context.open(self.options)
            verdict = try await instance.verifyAudit(wanted, by: instance.localOperator())
        }
        if self.json { try Console.json(verdict) }
        guard verdict.isSound else { throw ServiceError.auditNotSound(verdict.findings) }
        guard !self.json else { return }
        Console.say("Audit chain verifies: \(verdict.entries) entries, head \(verdict.head)")
        Console.say(
            "Signed heads: \(verdict.signedHeads); entries after the last one: \(verdict.entriesAfterSignedHead)")
        if self.file == nil {
            Console.say(
                "Uses of the CA keys: \(verdict.completedUses), each with its object and event; "
                    + "without a result: \(verdict.unfinishedUses)")
        }
    }
}

/// `signet audit show`
struct ShowAudit: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the audit trail.",
        examples: "signet audit show --after 1200 --limit 50 --text")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Begin after this entry.")
    var after: Int64 = 0

    @Option(name: .long, help: "At most that many.")
    var limit = 100

    @Flag(name: .long, help: "With the sentence of each event.")
    var text = false

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let entries = try await instance.auditEntries(
            after: self.after, limit: self.limit, by: instance.localOperator())
        for entry in entries {
            let details = entry.event.details.sorted { $0.key < $1.key }.map { "\($0)=\(LogText.onOneLine($1))" }
            let sentence = self.text ? AuditEventKind.of(entry.event.id).map { [$0.text] } ?? [] : []
            let head = [
                "\(entry.sequence)", Output.time(entry.event.when), "\(entry.event.id.rawValue)",
                LogText.onOneLine(entry.event.who),
            ]
            Console.say((head + sentence + details).joined(separator: " "))
        }
    }
}

/// `signet audit export`
struct ExportAudit: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the whole audit trail with its signed heads into a file.",
        examples: "signet audit export audit.json")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The file to make.")
    var file: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let count = try await instance.exportAudit(to: self.file, by: instance.localOperator())
        Console.say("Audit trail, \(count) entries: \(self.file)")
    }
}

/// `signet audit sign`
struct SignAudit: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Sign the head of the audit chain with the CA key.",
        discussion: "signetd does so at start, every hour and at stop.",
        examples: "signet audit sign")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        guard let head = try await authority.signAuditHead(by: authority.localOperator()) else {
            return Console.say("Nothing was recorded since the last signed head.")
        }
        Console.say("Signed the head of the audit chain: entry \(head.sequence)")
    }
}

/// `signet audit filter show|set`
struct AuditFilterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "filter", abstract: "Which events are recorded.",
        subcommands: [ShowAuditFilter.self, SetAuditFilter.self])
}

/// `signet audit filter show`
struct ShowAuditFilter: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the audit filter.",
        examples: "signet audit filter show")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let filter = try await instance.auditFilter(for: instance.localOperator())
        Console.say("Filter: \(filter.rawValue)")
        for (name, bit) in AuditFilter.names {
            Console.say("  \(name) (\(bit.rawValue)): \(filter.contains(bit) ? "recorded" : "not recorded")")
        }
    }
}

/// `signet audit filter set`
struct SetAuditFilter: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Choose which events are recorded.",
        discussion: "Events that the chain, the ledger of signatures or a crash's settlement need are recorded always.",
        examples: """
            signet audit filter set requests revocation archived-keys
            signet audit filter set 127
            """)

    @OptionGroup var options: InstanceOptions

    @Argument(help: "A number from 0 to 127, or words: \(AuditFilter.names.map(\.name).joined(separator: ", ")).")
    var categories: [String]

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let filter = try self.filter()
        try await instance.setAuditFilter(filter, by: instance.localOperator())
        Console.say("Filter: \(filter.rawValue)")
    }

    private func filter() throws -> AuditFilter {
        if self.categories.count == 1, let number = Int(self.categories[0]),
            (0...AuditFilter.all.rawValue).contains(number)
        {
            return AuditFilter(rawValue: number)
        }
        return try self.categories.reduce(into: []) { filter, word in
            guard let found = AuditFilter.names.first(where: { $0.name == word }) else {
                throw ValidationError("There is no category \"\(word)\".")
            }
            filter.insert(found.filter)
        }
    }
}
