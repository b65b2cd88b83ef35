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
    func read(_ files: [String]) throws -> AgentRecovery {
        let recovery = try AgentRecovery(
            blobs: files.map { ($0, try FilePaths.read($0, limit: 1 << 22)) },
            authorityPEM: FilePaths.read(self.caCertificates))
        for blob in recovery.blobs {
            Console.say("Key of: \(blob.subject) (serial \(blob.serialNumber))")
            if let threshold = blob.recovery.threshold {
                Console.say("  opens when \(threshold.threshold) of these \(threshold.count) agents act together:")
            }
            for agent in blob.recipients { Console.say("  can be opened by: \(agent)") }
        }
        return recovery
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
            """,
        examples: #"""
            signet recover alice.rec --ca-certificates chain.pem --token-file kra1.yaml \
                --out alice.p12 --password generate
            signet recover old/17.rec old/18.rec --ca-certificates chain.pem \
                --module /usr/lib/opensc-pkcs11.so --out-directory recovered --password prompt
            """#)

    @OptionGroup var options: BlobOptions

    @Option(name: .long, help: "Where to write one PKCS#12 with all keys (mode 0600).")
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

    @Option(name: .long, help: "Milliseconds to look for missing certificates of the chain, each key; 0: not at all.")
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
        let recovery = try self.options.read(self.blobs)
        let opener = try context.opener()
        let configurations = try self.options.cards.configurations()
        if let shareOut = self.shares.shareOut, let name = self.shares.shareFor, let blob = recovery.blobs.first {
            let passed = try await SharedRecovery.message(of: blob, for: name) { blobs in
                try await opener.openCard(among: configurations, for: blobs)
            }
            try FilePaths.createWhole(shareOut, with: passed.message, mode: 0o600)
            return Console.say("The share of \(passed.holder) is in \(shareOut), encrypted to \(name).")
        }
        let files = try self.files(recovery)
        let password = try self.readPassword()
        let count = recovery.blobs.count
        let combined = try await self.shares.shared().combine(recovery) { blobs in
            try await opener.openCard(among: configurations, for: blobs)
        } progress: {
            Console.complain($0)
        }
        let opened = try await combined.recovery.open { blobs in
            for card in combined.cards {
                if try await blobs.containOne(openedBy: card) { return card }
            }
            return try await opener.openCard(among: configurations, for: blobs)
        } progress: { done in
            if count > 1 { Console.complain("\(done) of \(count) keys") }
        }
        let settings = AgentRecovery.FileSettings(
            password: password, protection: self.legacy ? .legacy : .modern,
            furtherChain: await self.furtherChain(opened))
        try self.write(opened, to: files, settings)
        if self.password == "generate" {
            Console.say("PASSWORD: \(password.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })")
        }
    }

    private func readPassword() throws -> SecretBytes {
        if self.password == "generate" { return try GeneratedPassword.make() }
        return try SecretInput.system.readNew(PINSource(self.password), what: "a password for the PKCS#12")
    }

    /// One for each blob, none of which is there yet.
    private func files(_ recovery: AgentRecovery) throws -> [String] {
        guard let directory = self.outDirectory else { return [] }
        let files = recovery.blobs.map { blob in
            let name = ArchivedKeyListing.fileName(blob.subject.replacing("CN=", with: ""))
            return "\(directory)/\(name)-\(blob.serialNumber).p12"
        }
        guard Set(files).count == files.count else {
            throw ValidationError("One key is in several of the blobs; name each once.")
        }
        for file in files where FilePaths.exists(file) { throw ServiceError.exists(file, "The file") }
        return files
    }

    private func furtherChain(_ opened: [AgentRecovery.Opened]) async -> [CertificateFields] {
        guard self.timeout > 0 else { return [] }
        var chain: [CertificateFields] = []
        for item in opened {
            let completed = await ChainCompletion(limit: .milliseconds(self.timeout)).complete(item.key)
            chain += completed.found
            for note in completed.notes { Console.complain("note: the chain is not complete: \(note)") }
        }
        return chain
    }

    /// All of them, or none when one cannot be written.
    private func write(
        _ opened: [AgentRecovery.Opened], to files: [String], _ settings: AgentRecovery.FileSettings
    ) throws {
        if let out = self.out {
            try FilePaths.create(out, secret: AgentRecovery.pkcs12(opened, settings))
            return Console.say("Recovered into \(out), with certificate and chain.")
        }
        var written: [String] = []
        do {
            for (item, file) in zip(opened, files) {
                try FilePaths.create(file, secret: AgentRecovery.pkcs12([item], settings))
                written.append(file)
            }
        } catch {
            for file in written { try FilePaths.remove(file) }
            throw error
        }
        for file in written { Console.say("Recovered into \(file), with certificate and chain.") }
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
        let recovery = try self.options.read([self.blob])
        guard let blob = recovery.blobs.first else { return }
        let opener = try context.opener()
        let card = try await opener.openCard(among: self.options.cards.configurations(), for: recovery.blobs)
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
