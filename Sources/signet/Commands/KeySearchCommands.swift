import ArgumentParser
import CAService
import CertificateAuthority
import KeyArchival

/// `signet key find`
struct FindKey: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "List archived keys that fit a search term.",
        examples: #"""
            signet key find alice@example.com
            signet key find "EXAMPLE\alice" --script --ca-certificates chain.pem
            """#)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "Print a shell script instead that takes and recovers all of them.")
    var script = false

    @Option(name: .long, help: "For --script: the PEM file with the CA certificates that the recovery agent trusts.")
    var caCertificates: String = "chain.pem"

    @Argument(
        help: "Common name, UPN, domain\\user, Users\\name, serial number, SHA-1 or SHA-256 thumbprint, or key id.")
    var term: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let found = try await instance.archivedKeys(matching: self.term, for: instance.localOperator())
        let listing = instance.listing(of: found)
        if self.script, !found.isEmpty {
            return Console.say(
                listing.script(.init(instance: self.options.instance, caCertificates: self.caCertificates)))
        }
        for line in listing.lines { Console.say(line) }
        Console.say("\(found.count) archived key\(found.count == 1 ? "" : "s")")
        if found.isEmpty { throw ExitCode.failure }
    }
}

/// `signet key get`
struct GetKey: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Take the recovery blob of one archived key (certificate managers).",
        discussion: """
            The blob is encrypted to the key recovery agents; whoever takes it cannot open it. Without --out nothing is
            taken, and the thumbprints of the agents' certificates are printed who can open it.
            """,
        examples: "signet key get alice@example.com --out alice.rec")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Where to write the recovery blob (DER).")
    var out: String?

    @Argument(help: "A search term that fits one key; see `signet key find`.")
    var term: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        do {
            try await self.get(instance)
        } catch let error as ArchivalError where error.code == .ambiguousName {
            let found = try await instance.archivedKeys(matching: self.term, for: instance.localOperator())
            for line in instance.listing(of: found).lines { Console.say(line) }
            throw error
        }
    }

    private func get(_ instance: Instance) async throws {
        guard let out = self.out else {
            let found = try await instance.agents(ofKeyMatching: self.term, for: instance.localOperator())
            Console.say("Key of \(found.key.subject) (serial \(found.key.serialNumber)) can be opened by:")
            for agent in found.agents { Console.say("  \(agent)") }
            return
        }
        guard !FilePaths.exists(out) else { throw ServiceError.exists(out, "The file") }
        let authority = try await instance.authority(for: .records)
        let blob = try await authority.recoveryBlob(matching: self.term, by: authority.localOperator())
        try FilePaths.createWhole(out, with: blob.der, mode: 0o600)
        Console.say("Recovery blob for \(blob.subject) (serial \(blob.serialNumber)): \(out)")
        for agent in blob.recipients { Console.say("  can be opened by: \(agent)") }
    }
}
