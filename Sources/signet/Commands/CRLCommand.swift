import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import PKIMessages

/// `signet crl publish|list|show`
struct CRLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crl", abstract: "Certificate revocation lists.",
        subcommands: [PublishCRL.self, ListCRLs.self, ShowCRL.self])
}

/// `signet crl publish`
struct PublishCRL: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Sign and publish CRLs now.",
        examples: """
            signet crl publish
            signet crl publish --delta
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "Delta CRLs alone; otherwise base CRLs, with delta CRLs where the instance has them.")
    var delta = false

    @Option(name: .long, help: "The CRL of that CA key alone, counted from 0; otherwise of every key in use.")
    var key: Int?

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        let published = try await authority.publishCRLs(
            CRLOrder(self.delta ? .delta : .base, keyIndex: self.key), by: authority.localOperator())
        var failed = false
        for crl in published {
            let record = crl.record
            Console.say(
                "\(record.label), \(record.entryCount ?? 0) entries, next update \(Output.time(record.nextUpdate)): "
                    + crl.places.joined(separator: " "))
            for (place, error) in crl.failures {
                failed = true
                Console.complain("error: \(record.label) is signed, but not at \(place)")
                for line in ErrorReport(error).lines { Console.complain("  " + line) }
            }
        }
        if failed { throw ExitCode.failure }
    }
}

extension CRLRecord {
    fileprivate var label: String {
        (self.kind == .base ? "CRL number \(self.number)" : "Delta CRL number \(self.number)")
            + (self.shard == 0 ? "" : ", shard \(self.shard)")
    }
}

/// `signet crl list`
struct ListCRLs: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the CRLs that were signed, newest first.",
        examples: "signet crl list")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "At most that many.")
    var limit = 20

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let crls = try await instance.crls(limit: self.limit, for: instance.localOperator())
        Console.table(
            ["Number", "Kind", "Base", "Key", "Shard", "This update", "Next update", "Entries", "Bytes", "Published"],
            crls.map { crl in
                [
                    "\(crl.number)", crl.kind.rawValue, crl.baseNumber.map { "\($0)" } ?? "", "\(crl.caKeyIndex)",
                    "\(crl.shard)", Output.time(crl.thisUpdate), Output.time(crl.nextUpdate),
                    crl.entryCount.map { "\($0)" } ?? "", "\(crl.byteCount)",
                    crl.publishedWhen.map { Output.time($0) } ?? crl.publicationError ?? "no",
                ]
            })
    }
}

/// `signet crl show`
struct ShowCRL: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one CRL; the newest base CRL when no number is named.",
        examples: """
            signet crl show --out latest.crl
            signet crl show --number 12 --delta
            """)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "The CRL's number.")
    var number: UInt64?

    @Flag(name: .long, help: "The delta CRL.")
    var delta = false

    @Option(name: .long, help: "Write the CRL as DER to this file, which must not exist.")
    var out: String?

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let crl = try await instance.crl(
            number: self.number, kind: self.delta ? .delta : .base, for: instance.localOperator())
        let fields: [(String, String?)] = [
            ("Number", "\(crl.number)"), ("Kind", crl.kind.rawValue), ("Base", crl.baseNumber.map { "\($0)" }),
            ("CA key", "\(crl.caKeyIndex)"), ("Shard", crl.shard == 0 ? nil : "\(crl.shard)"),
            ("This update", Output.time(crl.thisUpdate)), ("Next update", Output.time(crl.nextUpdate)),
            ("Next publish", crl.nextPublish.map { Output.time($0) }),
            ("Entries", crl.entryCount.map { "\($0)" }), ("Bytes", "\(crl.byteCount)"),
            ("File", crl.fileName), ("Published", crl.publishedWhen.map { Output.time($0) }),
            ("Publication error", crl.publicationError),
        ]
        for (name, value) in fields { if let value { Console.say("\(name): \(value)") } }
        if let out = self.out { try instance.write(crl, to: out) }
    }
}
