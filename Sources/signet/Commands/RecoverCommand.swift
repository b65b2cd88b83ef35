import ArgumentParser
import CAService
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages
import SecretMemory

/// Where recovery agents' cards are looked for.
struct CardOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "A YAML file that describes a card, with the keys of `tokens:` in signet.yaml. May be repeated.")
    var tokenFile: [String] = []

    @Option(name: .long, help: "A PKCS#11 module; every token behind it is looked at. May be repeated.")
    var module: [String] = []

    @Option(name: .long, help: "A pkcs11: URI that the tokens behind --module have to fit.")
    var token: String = "pkcs11:"

    @Option(name: .long, help: "The device profile of the tokens behind --module; matched when left out.")
    var profile: String?

    @Option(name: .long, help: "Where the PIN comes from: prompt, file:PATH or env:NAME.")
    var pin: String?

    var isEmpty: Bool { self.tokenFile.isEmpty && self.module.isEmpty }

    func configurations() throws -> [TokenConfiguration] {
        let pin = try self.pin.map { try PINSource($0) }
        var all = try self.tokenFile.map { file in
            var configuration = try TokenConfiguration(
                yaml: String(decoding: FilePaths.read(file), as: UTF8.self), file: file)
            if let pin { configuration.pin = pin }
            return configuration
        }
        all += try self.module.map { path in
            TokenConfiguration(
                module: path, token: try KeyReference(self.token).uri, profile: self.profile, pin: pin ?? .prompt)
        }
        guard !all.isEmpty else {
            throw ValidationError("Name where the card is: --token-file FILE or --module PATH.")
        }
        return all
    }

    /// All of them, each logged in.
    func open(in context: CommandContext) async throws -> [any KeyToken] {
        let opener = try context.opener()
        var cards: [any KeyToken] = []
        for configuration in try self.configurations() { cards.append(try await opener.open(configuration)) }
        return cards
    }
}

/// What is common to all that an agent does with recovery blobs.
struct BlobOptions: ParsableArguments {
    @OptionGroup var cards: CardOptions

    @Option(name: .long, help: "The CA's certificate and its chain in one PEM file: who may have signed the blobs.")
    var caCertificates: String

    /// Checks the blobs and shows what is in them; no PIN was asked for yet.
    ///
    /// - Parameter see: lent each of them besides.
    func read(_ files: [String], _ see: (AgentRecovery.Blob) throws -> Void = { _ in }) throws -> AgentRecovery {
        try AgentRecovery(files.map(AgentRecovery.Source.init), authorityPEM: FilePaths.read(self.caCertificates)) {
            blob in
            Console.say("Key of: \(blob.subject) (serial \(blob.serialNumber))")
            if let threshold = blob.recovery.threshold {
                Console.say("  opens when \(threshold.threshold) of these \(threshold.count) agents act together:")
            }
            for agent in blob.recipients { Console.say("  can be opened by: \(agent)") }
            try see(blob)
        }
    }
}

/// `signet recover`, and `signet key recover`
struct RecoverCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Open recovery blobs with a recovery agent's card (no instance needed).",
        discussion: """
            The card that fits is found by itself, among all tokens that are there. Signature and chain of every blob are
            checked, and what is in it is shown, before the PIN is asked for. Nothing is ever overwritten.
            Where several agents have to act together, one card after another is asked for; or each of the agents passes a
            share with --share-out to the one who finishes with --share.
            With --out-directory each key is written as soon as it is open, so that thousands of blobs need no more memory than
            a few; what was written is removed again when one of them does not open. With --out all keys are in memory until
            the last one is open.
            """,
        examples: #"""
            signet recover alice.rec --ca-certificates chain.pem --token-file kra1.yaml \
                --out alice.p12 --password generate
            signet recover old/17.rec old/18.rec --ca-certificates chain.pem \
                --module /usr/lib/opensc-pkcs11.so --out-directory recovered --password prompt
            """#)

    @OptionGroup var options: BlobOptions

    @Option(
        name: .long,
        help: "Where to write one PKCS#12 with all keys, which are in memory together until then (mode 0600).")
    var out: String?

    @Option(name: .long, help: "A directory for one PKCS#12 a key, named by its subject and serial number.")
    var outDirectory: String?

    @Option(
        name: .long,
        help: "Where the PKCS#12's password comes from: prompt, file:PATH, env:NAME; or generate, shown once.")
    var password: String = "prompt"

    @OptionGroup var shares: ShareOptions

    @Flag(name: .long, help: "Triple DES and SHA-1, for clients that do not know AES in PKCS#12 (before 2018).")
    var legacy = false

    @Option(name: .long, help: "Milliseconds to look for missing certificates of a chain, for each CA; 0: not at all.")
    var timeout: Int = 15_000

    @Argument(help: "Recovery blobs.")
    var blobs: [String]

    func validate() throws {
        let places = [self.out, self.outDirectory, self.shares.shareOut].compactMap { $0 }
        guard places.count == 1 else {
            throw ValidationError("Name either --out, --out-directory or --share-out.")
        }
        try self.shares.validate(blobs: self.blobs.count)
        guard !self.blobs.isEmpty, (0...600_000).contains(self.timeout) else {
            throw ValidationError("Name a blob, and a --timeout of 0 to 600000.")
        }
    }

    func run(in context: CommandContext) async throws {
        for file in [self.out, self.shares.shareOut].compactMap({ $0 }) where FilePaths.exists(file) {
            throw ServiceError.exists(file, "The file")
        }
        var names: [String] = []
        let recovery = try self.options.read(self.blobs) { names.append(try self.fileName($0)) }
        let opener = try context.opener()
        let configurations = try self.options.cards.configurations()
        if let shareOut = self.shares.shareOut, let name = self.shares.shareFor {
            let passed = try await SharedRecovery.message(of: recovery.blob(at: 0), for: name) { blobs in
                try await opener.openCard(among: configurations, for: blobs)
            }
            try FilePaths.createWhole(shareOut, with: passed.message, mode: 0o600)
            return Console.say("The share of \(passed.holder) is in \(shareOut), encrypted to \(name).")
        }
        guard Set(names).count == names.count else {
            throw ValidationError("One key is in several of the blobs; name each once.")
        }
        let password = try self.readPassword()
        let files = RecoveredFiles(password: password, protection: self.legacy ? .legacy : .modern)
        let open: Opening = { take in
            try await recovery.open(shared: self.shares.shared()) { blobs in
                try await opener.openCard(among: configurations, for: blobs)
            } progress: {
                Console.complain($0)
            } take: {
                try await take($0)
            }
        }
        if let out = self.out {
            try await self.writeOne(out, files, recovery.count, open)
        } else {
            try await self.writeEach(names, files, open)
        }
        if self.password == "generate" {
            Console.say("PASSWORD: \(password.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })")
        }
    }

    /// Gives each key as soon as it is open.
    private typealias Opening = (_ take: (AgentRecovery.Opened) async throws -> Void) async throws -> Void

    private func readPassword() throws -> SecretBytes {
        if self.password == "generate" { return try GeneratedPassword.make() }
        return try SecretInput.system.readNew(PINSource(self.password), what: "a password for the PKCS#12")
    }

    /// The file of a key, which is not there yet; the serial number alone where no directory is named.
    private func fileName(_ blob: AgentRecovery.Blob) throws -> String {
        guard let directory = self.outDirectory else { return blob.serialNumber }
        let name = ArchivedKeyListing.fileName(blob.subject.replacing("CN=", with: ""))
        let file = "\(directory)/\(name)-\(blob.serialNumber).p12"
        guard !FilePaths.exists(file) else { throw ServiceError.exists(file, "The file") }
        return file
    }

    /// All keys in one file.
    private func writeOne(_ out: String, _ files: RecoveredFiles, _ count: Int, _ open: Opening) async throws {
        var opened: [AgentRecovery.Opened] = []
        let meter = ProgressMeter()
        var completion = ChainLookUp(timeout: self.timeout, meter: meter)
        var chain: [CertificateFields] = []
        try await open { key in
            opened.append(key)
            chain += await completion.furtherChain(of: key.key)
            meter.reached(keys: opened.count, of: count)
        }
        meter.finish()
        opened.sort { $0.index < $1.index }
        try FilePaths.create(out, secret: files.pkcs12(opened, furtherChain: chain))
        Console.say("Recovered into \(out), with certificate and chain.")
    }

    /// A file each, or none when one cannot be opened or written.
    private func writeEach(_ names: [String], _ files: RecoveredFiles, _ open: Opening) async throws {
        var written: [String] = []
        let meter = ProgressMeter()
        var completion = ChainLookUp(timeout: self.timeout, meter: meter)
        do {
            try await open { key in
                let file = names[key.index]
                let chain = await completion.furtherChain(of: key.key)
                try FilePaths.create(file, secret: files.pkcs12([key], furtherChain: chain))
                written.append(file)
                meter.reached(keys: written.count, of: names.count)
            }
        } catch {
            for file in written { try FilePaths.remove(file) }
            throw error
        }
        meter.finish()
        for file in names { Console.say("Recovered into \(file), with certificate and chain.") }
    }
}

/// Looks for what the chains of recovered certificates lack, once for each authority.
private struct ChainLookUp {
    /// Milliseconds for each; 0: not at all.
    let timeout: Int
    let meter: ProgressMeter
    private var known: [[UInt8]: [CertificateFields]] = [:]

    init(timeout: Int, meter: ProgressMeter) {
        self.timeout = timeout
        self.meter = meter
    }

    mutating func furtherChain(of key: RecoveredKey) async -> [CertificateFields] {
        guard self.timeout > 0 else { return [] }
        let authority = key.chain.last?.derBytes
        if let authority, let found = self.known[authority] { return found }
        let completed = await ChainCompletion(limit: .milliseconds(self.timeout)).complete(key)
        for note in completed.notes { self.meter.complain("note: the chain is not complete: \(note)") }
        if let authority { self.known[authority] = completed.found }
        return completed.found
    }
}

/// `signet key recover`: the same under the name that is looked for beside `signet key get`.
typealias RecoverKeys = RecoverCommand

/// `signet key put`
struct PutKeyOnCard: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Recover a key straight onto the user's token, with its certificate; no PKCS#12.",
        discussion: """
            Where both tokens can wrap private keys, the key goes from the agent's card to the user's token and is
            plaintext nowhere. The room for key and certificate is checked before anything is written.
            """,
        examples: "signet key put alice.rec --ca-certificates chain.pem --token-file kra1.yaml --onto card.yaml")

    @OptionGroup var options: BlobOptions

    @Option(name: .long, help: "A YAML file that describes the user's token.")
    var onto: String

    @Option(name: .long, help: "The label of key and certificate; the certificate's subject when left out.")
    var label: String?

    @Argument(help: "The recovery blob.")
    var blob: String

    func run(in context: CommandContext) async throws {
        let blob = try self.options.read([self.blob]).blob(at: 0)
        let opener = try context.opener()
        let card = try await opener.openCard(among: self.options.cards.configurations(), for: [blob])
        let target = try await opener.open(
            TokenConfiguration(yaml: String(decoding: FilePaths.read(self.onto), as: UTF8.self), file: self.onto))
        let put = try await blob.recovery.transfer(
            with: [card], to: target, label: self.label ?? String(blob.subject.prefix(64)))
        Console.say("Key and certificate are on \(target.identification).")
        Console.say(
            put.wasWrapped
                ? "The key went from token to token wrapped."
                : "The key was in locked memory of this machine; one of the tokens cannot wrap private keys.")
    }
}
