import ArgumentParser
import CAService
import CertificateAuthority
import Foundation
import PKIMessages

/// `signet request show`
struct ShowRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one request in full.",
        examples: """
            signet request show 17
            signet request show 17 --json
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "As JSON, binary columns in base64.")
    var json = false

    @Argument(help: "The request's number.")
    var request: Int64

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let row = try await instance.requestRow(self.request, by: instance.localOperator())
        guard self.json else { return RowOutput.printAll(row) }
        let output = RowOutput(columns: RequestColumn.all, format: .json)
        output.add(row)
        output.finish()
    }
}

/// `signet request export`
struct ExportRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a binary column of a request to a file, as it is stored.",
        discussion: "The file has mode 0600 and is never overwritten.",
        examples: "signet request export 17 --column RawRequest --out 17.req")

    @OptionGroup var options: InstanceOptions

    @Option(
        name: .long, help: "RawRequest, RawCertificate, RawArchivedKey, RawOldCertificate, RawName or RawPublicKey.")
    var column: String

    @Option(name: .long, help: "Where to write it.")
    var out: String

    @Argument(help: "The request's number.")
    var request: Int64

    func run(in context: CommandContext) async throws {
        guard let column = RequestColumn.named(self.column) else {
            throw ValidationError("There is no column \(self.column).")
        }
        let instance = try context.open(self.options)
        let bytes = try await instance.binary(column, ofRequest: self.request, by: instance.localOperator())
        try FilePaths.create(self.out, with: bytes, mode: 0o600)
        Console.say("\(column.name) of request \(self.request): \(self.out)")
    }
}

/// `signet request resubmit`
struct ResubmitRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "resubmit",
        abstract: "Take a pending request up, or, as an administrator, a denied one once more.",
        examples: "signet request resubmit 17")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The request's number.")
    var request: Int64

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        let result = try await authority.authority.resubmit(
            request: self.request, by: authority.localOperator())
        try RequestReport(result).print(certificatePath: nil)
    }
}

/// `signet request set-attributes`
struct SetAttributes: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-attributes", abstract: "Change the attributes of a pending request.",
        examples: "signet request set-attributes 17 CertificateTemplate:User")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The request's number.")
    var request: Int64

    @Argument(help: "Attributes as Name:Value; each replaces what the request has under the name.")
    var attributes: [String]

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        try await authority.authority.setAttributes(
            self.attributes.joined(separator: "\n"), ofRequest: self.request, by: authority.localOperator())
        Console.say("Attributes of request \(self.request) changed.")
    }
}

/// `signet request set-extension`
struct SetExtension: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-extension", abstract: "Set an extension of a pending request, or take it away.",
        examples: """
            signet request set-extension 17 2.5.29.17 --value names.der
            signet request set-extension 17 2.5.29.17 --remove
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "A reader that does not know the extension must refuse the certificate.")
    var critical = false

    @Option(name: .long, help: "A file with the extension's value, DER, PEM or base64.")
    var value: String?

    @Flag(name: .long, help: "The certificate is to have no such extension.")
    var remove = false

    @Argument(help: "The request's number.")
    var request: Int64

    @Argument(help: "The extension's object identifier, in dots.")
    var oid: String

    func validate() throws {
        guard (self.value == nil) == self.remove else { throw ValidationError("Name either --value or --remove.") }
    }

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        let value = try self.value.map(SetExtension.read)
        try await authority.authority.setExtension(
            RequestExtension(oid: self.oid, isCritical: self.critical, value: value), ofRequest: self.request,
            by: authority.localOperator())
        Console.say("Extension \(self.oid) of request \(self.request) \(value == nil ? "removed" : "set").")
    }

    /// An extension's value may be any DER element, where a file of text is told from DER by a SEQUENCE only.
    private static func read(_ path: String) throws -> [UInt8] {
        let bytes = try FilePaths.read(path)
        // `try?`: what is no DER is text, or refused as such.
        if (try? StrictDER.node(bytes, what: path)) != nil { return bytes }
        return try TextEncoding.decode(bytes, what: path)
    }
}

/// `signet database`
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "The request database.",
        subcommands: [PruneDatabase.self, RebuildDatabase.self])
}

/// `signet database prune`
struct PruneDatabase: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Delete rows that nobody needs any more, while the service runs.",
        discussion: """
            Never deleted: certificates that are valid, revoked ones that no CRL made after their expiry has named yet,
            exchange certificates, and, without --archived-keys, rows with an archived key. A time is written as \
            2026-01-31 or 2026-01-31T12:00:00Z, or as an age: '2 years'.
            """,
        examples: "signet database prune --failed-before '2 years' --dry-run")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Requests that were denied or failed, submitted before that time.")
    var failedBefore: String?

    @Option(name: .long, help: "Requests that are still pending, submitted before that time.")
    var pendingBefore: String?

    @Option(name: .long, help: "Certificates, with their requests, that expired before that time.")
    var expiredBefore: String?

    @Flag(name: .long, help: "Archived keys go with their rows, and can never be recovered again.")
    var archivedKeys = false

    @Flag(name: .long, help: "Only count.")
    var dryRun = false

    func validate() throws {
        guard self.failedBefore != nil || self.pendingBefore != nil || self.expiredBefore != nil else {
            throw ValidationError("Name --failed-before, --pending-before or --expired-before.")
        }
    }

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        let who = try await authority.localOperator()
        let wanted: [(PruningRule.Subject, String?)] = [
            (.failed, self.failedBefore), (.pending, self.pendingBefore), (.expired, self.expiredBefore),
        ]
        for case (let subject, let text?) in wanted {
            var rule = PruningRule(subject, before: try self.time(text, authority.instance.surroundings.now()))
            rule.takesArchivedKeys = self.archivedKeys
            rule.isRehearsal = self.dryRun
            let count = try await authority.authority.prune(rule, by: who)
            Console.say("\(rule.filter): \(count) \(self.dryRun ? "would go" : "deleted")")
        }
    }

    /// An age makes a rule that can be run again and again.
    private func time(_ text: String, _ now: Date) throws -> Date {
        if let age = AuthorityPolicy.Period(text) { return now.addingTimeInterval(-age.seconds) }
        return try RequestFilter.date(text)
    }
}
