import ArgumentParser
import CAService
import CertificateAuthority
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages
import SecretMemory

/// Passwords of PKCS#12 files that are there already.
struct OldPasswords: ParsableArguments {
    @Option(
        name: .long,
        help:
            "Where a password of the files comes from: prompt, file:PATH or env:NAME. May be repeated; tried in order.")
    var oldPassword: [String] = ["prompt"]

    func read() throws -> [SecretBytes] {
        try self.oldPassword.map {
            try SecretInput.system.read(PINSource($0), what: "the password of the PKCS#12 files")
        }
    }
}

/// `signet key import`
struct ImportKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Archive keys from PKCS#12 files or key containers (certificate managers).",
        discussion: """
            A directory is read file by file. Running an import again changes nothing; with --journal it does not open the
            files again that are done. Certificates of other CAs need archival.foreign-certificates and --force.
            """,
        examples: "signet key import old-keys --old-password prompt --journal import.journal")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var passwords: OldPasswords

    @Flag(name: .long, help: "Take certificates that this CA has not issued.")
    var force = false

    @Option(name: .long, help: "A file that notes which files are done.")
    var journal: String?

    @Argument(help: "Files and directories.")
    var paths: [String]

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        let who = try await authority.localOperator()
        let run = try KeyImportRun(
            importer: authority.keyImporter(isForced: self.force, for: who), passwords: self.passwords.read(),
            journalPath: self.journal, by: who)
        var total = KeyImportCounters()
        for path in self.paths {
            Console.say("Processing \(path)")
            total.add(try await run.runTelling(path))
        }
        if total.keysArchived > 0 { await authority.vouchForKeys() }
        for line in total.lines { Console.say(line) }
        if total.keysNotArchived > 0 { throw ExitCode.failure }
    }
}

extension KeyImportRun {
    /// Tells on standard error which keys failed, and how far it is.
    func runTelling(_ path: String) async throws -> KeyImportCounters {
        let meter = ProgressMeter()
        var count = 0
        return try await self.run(path) { progress in
            count += 1
            if case .failed(let file, let reason) = progress { meter.complain("\(file): \(reason)") }
            meter.reached(keys: count)
        }
    }
}

/// `signet key pack`
struct PackKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Put keys of PKCS#12 files into a container that only one CA can open.",
        discussion: """
            The keys are encrypted to the CA's exchange certificate (signet ca exchange). Its thumbprint has to be typed, as
            the CA's operator told it by another way: whoever replaced the certificate would read every key.
            """,
        examples: #"""
            signet key pack alice.p12 bob.p12 --old-password prompt --to exchange.crt \
                --thumbprint 8f02aa31 --out keys.pack
            """#)

    @OptionGroup var passwords: OldPasswords

    @Option(name: .long, help: "The CA's exchange certificate.")
    var to: String

    @Option(name: .long, help: "The first eight or more digits of its SHA-1 or SHA-256 thumbprint.")
    var thumbprint: String

    @Option(name: .long, help: "Where to write the container.")
    var out: String

    @Argument(help: "PKCS#12 files.")
    var files: [String]

    func run(in context: CommandContext) async throws {
        let recipient = try CertificateFields(derEncoded: Output.readDER(self.to, what: self.to))
        let passwords = try self.passwords.read()
        let (count, files) = try KeyPacking(recipient: recipient, thumbprint: self.thumbprint, passwords: passwords)
            .pack(self.files, into: self.out)
        Console.say("\(count) keys of \(files) files: \(self.out)")
    }
}

/// `signet key merge`
struct MergeKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Put the keys of several PKCS#12 files into one.",
        examples: #"""
            signet key merge alice-2024.p12 alice-2025.p12 --old-password file:old \
                --old-password prompt --out alice.p12 --password generate
            """#)

    @OptionGroup var passwords: OldPasswords

    @Option(name: .long, help: "Where to write the PKCS#12 (mode 0600).")
    var out: String

    @Option(name: .long, help: "Where its password comes from: prompt, file:PATH, env:NAME; or generate, shown once.")
    var password: String = "prompt"

    @Flag(name: .long, help: "Triple DES and SHA-1, for clients that do not know AES in PKCS#12 (before 2018).")
    var legacy = false

    @Argument(help: "PKCS#12 files.")
    var files: [String]

    func run(in context: CommandContext) async throws {
        guard !FilePaths.exists(self.out) else { throw ServiceError.exists(self.out, "The file") }
        let merge = try KeyMerge(files: self.files, passwords: self.passwords.read())
        let password =
            try self.password == "generate"
            ? GeneratedPassword.make()
            : SecretInput.system.readNew(PINSource(self.password), what: "a password for the PKCS#12")
        try FilePaths.create(
            self.out, secret: merge.pkcs12(password: password, protection: self.legacy ? .legacy : .modern))
        Console.say("\(merge.entries.count) keys of \(self.files.count) files: \(self.out)")
        if self.password == "generate" {
            Console.say("PASSWORD: \(password.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })")
        }
    }
}

/// `signet key install`
struct InstallKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Put the keys of a PKCS#12, such as a recovered one, where yours are.",
        discussion: """
            On a token (--token-file ..., RSA keys, which it can then decrypt with), or into SIGNET_KEYS, where
            `certreq -new` makes them: there each is encrypted with the password of the PKCS#12.
            """,
        examples: """
            signet key install alice.p12 --token-file card.yaml
            signet key install alice.p12 --password prompt
            """)

    @OptionGroup var token: TokenOptions

    @Option(name: .long, help: "Where the password of the PKCS#12 comes from: prompt, file:PATH or env:NAME.")
    var password = "prompt"

    @Flag(name: .long, help: "Replace a key of SIGNET_KEYS that is there already.")
    var force = false

    @Argument(help: "The PKCS#12 file.")
    var file: String

    func run(in context: CommandContext) async throws {
        let installation = try KeyInstallation(
            file: self.file,
            password: SecretInput.system.read(PINSource(self.password), what: "the password of \(self.file)"))
        guard self.token.tokenFile != nil || self.token.module != nil else {
            let installed = try installation.install(in: .standard(), isForced: self.force)
            for (certificate, file) in installed {
                Console.say(
                    "Key and certificate \(certificate.serialHex.lowercased()) (\(certificate.subject)): \(file)")
            }
            return
        }
        let token = try await context.open(self.token)
        try await installation.install(on: token) { certificate, pair in
            Console.say(
                "Key and certificate \(certificate.serialHex.lowercased()) are on \(token.identification): \(pair.label)"
            )
        }
    }
}

/// `signet key verify`
struct VerifyKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Prove that private keys belong to their certificates.",
        discussion: "Of a PKCS#12 file, or with --certificate of the key on a token.",
        examples: """
            signet key verify alice.p12 --old-password prompt
            signet key verify --certificate alice.crt --token-file card.yaml
            """)

    @OptionGroup var card: TokenOptions
    @OptionGroup var passwords: OldPasswords

    @Option(name: .long, help: "A certificate whose private key is on the token.")
    var certificate: String?

    @Argument(help: "PKCS#12 files.")
    var files: [String] = []

    func validate() throws {
        guard self.files.isEmpty != (self.certificate == nil) else {
            throw ValidationError("Name either PKCS#12 files, or --certificate and a token.")
        }
    }

    func run(in context: CommandContext) async throws {
        if let certificate = self.certificate {
            let fields = try CertificateFields(derEncoded: Output.readDER(certificate, what: certificate))
            let card = try await context.open(self.card)
            try await KeyPairVerification.verify(fields, on: card)
            return Console.say("The token has the private key of \(fields.subject) (serial \(fields.serialHex)).")
        }
        let passwords = try self.passwords.read()
        for file in self.files {
            for fields in try KeyPairVerification.verify(file: file, passwords: passwords) {
                Console.say("\(file): the private key belongs to \(fields.subject) (serial \(fields.serialHex)).")
            }
        }
    }
}
