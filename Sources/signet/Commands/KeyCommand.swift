import ArgumentParser
import CAService
import CertificateAuthority
import KeyArchival
import PKIMessages

/// `signet key find|get|recover`
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Archived private keys: find, take the recovery blob, recover.",
        subcommands: [FindKey.self, GetKey.self, RecoverKey.self])
}

/// `signet key find`
struct FindKey: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "List archived keys that fit a search term.")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "Common name, UPN, requester, serial number, SHA-1 or SHA-256 thumbprint, or key id.")
    var term: String

    func run(in context: CommandContext) async throws {
        let found = try await context.open(self.options, for: .readRequests, to: "look for archived keys").archivedKeys(
            matching: self.term)
        for key in found { KeyListing.print(key) }
        Console.say("\(found.count) archived key\(found.count == 1 ? "" : "s")")
        if found.isEmpty { throw ExitCode.failure }
    }
}

/// The block that describes one archived key.
enum KeyListing {
    static func print(_ key: CertificateRecord) {
        Console.say("Serial Number: \(key.serialNumber)")
        Console.say("  Subject: \(key.subject)")
        if let name = key.userPrincipalName { Console.say("  UPN: \(name)") }
        Console.say("  NotBefore: \(Output.time(key.notBefore))")
        Console.say("  NotAfter: \(Output.time(key.notAfter))")
        Console.say("  Template: \(key.templateName ?? "-")")
        Console.say("  Requester: \(key.requesterName)")
        let thumbprint = key.sha1Thumbprint.map { Hexadecimal.lower([$0]) }
        Console.say("  Cert Hash(sha1): \(thumbprint.joined(separator: " "))")
    }
}

/// `signet key get`
struct GetKey: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Take the recovery blob of one archived key (certificate managers).",
        discussion: "The blob is encrypted to the key recovery agents; whoever takes it cannot open it.")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Where to write the recovery blob (DER).")
    var out: String

    @Argument(help: "A search term that fits one key; see `signet key find`.")
    var term: String

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority(for: .records)
        let blob = try await authority.recoveryBlob(matching: self.term, by: authority.localOperator())
        try FilePaths.create(self.out, with: blob.der, mode: 0o600)
        Console.say("Recovery blob for \(blob.subject) (serial \(blob.serialNumber)): \(self.out)")
        for agent in blob.recipients { Console.say("  can be opened by: \(agent)") }
    }
}

/// `signet key recover`
struct RecoverKey: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Open a recovery blob with a recovery agent's card (no instance needed).",
        discussion: "The blob's signature and chain are checked, and its content is shown, before the PIN is asked.")

    @OptionGroup var card: TokenOptions

    @Option(name: .long, help: "The CA's certificate and its chain in one PEM file: who may have signed the blob.")
    var caCertificates: String

    @Option(name: .long, help: "Where to write the PKCS#12 (mode 0600).")
    var out: String

    @Option(name: .long, help: "Where the PKCS#12's password comes from: prompt, file:PATH or env:NAME.")
    var password: String = "prompt"

    @Argument(help: "The recovery blob.")
    var blob: String

    func run(in context: CommandContext) async throws {
        guard !FilePaths.exists(self.out) else { throw ServiceError.exists(self.out, "The file") }
        let opened = try AgentRecovery(
            blob: FilePaths.read(self.blob, limit: 1 << 22), authorityPEM: FilePaths.read(self.caCertificates))
        Console.say("Key of: \(opened.subject) (serial \(opened.serialNumber))")
        for agent in opened.recipients { Console.say("  can be opened by: \(agent)") }
        let password = try SecretInput.system.readNew(
            PINSource(self.password), what: "a password for the PKCS#12")
        let card = try await context.open(self.card)
        let pkcs12 = try await opened.recover(with: card, password: password)
        try FilePaths.create(self.out, secret: pkcs12)
        Console.say("Recovered into \(self.out), with certificate and chain.")
    }
}
