import ArgumentParser
import BackupSets
import CAService
import CertificateAuthority
import Foundation
import PKIMessages

/// `signet backup create|list|show|verify|keys|replaced`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Backups of a CA: database, configuration, templates, lists, audit chain.",
        subcommands: [
            CreateBackup.self, ListBackups.self, ShowBackup.self, VerifyBackup.self, BackUpKeys.self,
            ReplacedInstances.self,
        ])
}

/// `signet backup create`
struct CreateBackup: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Back a CA up, while it runs.",
        discussion: """
            The directory must be empty or absent. Nothing of a token is in a backup: keys stay where they are, and the \
            backup says which ones the CA needs. PIN files are not in it.
            """,
        examples: "signet backup create /backup/2026-11-21 --instance /srv/issuing --password prompt")

    @OptionGroup var options: InstanceOptions
    @Option(name: .long, help: "Where the backup's password comes from: prompt, file:PATH or env:NAME.")
    var password: String?

    @Argument(help: "The directory to make.")
    var directory: String

    @Option(name: .long, help: "A certificate, PEM or DER, whose RSA key shall open the backup. May be repeated.")
    var recipient: [String] = []

    @Flag(name: .long, help: "Only what changed since the last backup; a full one must have been made.")
    var incremental = false

    @Flag(name: .long, help: "Let the next incremental backup begin where this one does.")
    var keepLog = false

    @Flag(name: .shortAndLong, help: "Replace the backup that is in the directory, when the new one is whole.")
    var force = false

    func validate() throws {
        guard self.password != nil || !self.recipient.isEmpty else {
            throw ValidationError(
                "Name who shall open the backup: --password SOURCE, --recipient CERTIFICATE, or both.")
        }
    }

    func run(in context: CommandContext) async throws {
        let instance = try await context.open(self.options, for: .backUp, to: "back the CA up")
        let authority = try await instance.authority(settling: false)
        let recipients = try BackupRecipients(
            certificates: self.recipient.flatMap { try CertificateBundle.parse(FilePaths.read($0)) },
            password: self.password.map {
                try SecretInput.system.readNew(PINSource($0), what: "a password for the backup")
            })
        let meter = ProgressMeter()
        let order = BackupOrder(
            directory: self.directory, recipients: recipients, replaces: self.force, isIncremental: self.incremental,
            keepsLog: self.keepLog, progress: meter.show)
        let made = try await authority.backUp(order, by: authority.localOperator())
        meter.finish()
        Console.say("Backup \(made.manifest.backupID), \(made.manifest.kind.rawValue), verified: \(made.directory)")
        Console.say("Manifest SHA-256: \(Hexadecimal.lower(made.manifestSHA256))")
        Console.say("Keys stay on their tokens:")
        for key in made.manifest.keys { Console.say("  " + key.line) }
    }
}

/// `signet backup list`
struct ListBackups: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the backups in a directory, oldest first. Checks nothing.",
        examples: "signet backup list /backup")

    @Argument(help: "The directory in which backups were made.")
    var directory: String

    func run() async throws {
        let sets = try BackupSet.all(in: self.directory)
        guard !sets.isEmpty else { throw BackupError.noBackup(self.directory) }
        Console.table(
            ["Directory", "Kind", "Made", "Place", "CA", "Bytes", "Backup"],
            sets.map { set in
                let manifest = set.manifest
                return [
                    set.directory, manifest.kind.rawValue, manifest.createdWhen,
                    manifest.link.map { "\($0.position) after \($0.base.prefix(8))" } ?? "0", manifest.authority,
                    "\(manifest.files.reduce(0) { $0 + $1.byteCount })", String(manifest.backupID.prefix(8)),
                ]
            })
    }
}

/// `signet backup show`
struct ShowBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print what a backup says of itself. Checks nothing.",
        examples: "signet backup show /backup/2026-11-21")

    @Argument(help: "The backup's directory.")
    var directory: String

    @Flag(name: .long, help: "Print the manifest as JSON.")
    var json = false

    func run() async throws {
        let set = try BackupSet(self.directory)
        let manifest = set.manifest
        if self.json {
            return Console.say(String(decoding: try manifest.json(), as: UTF8.self).trimmingCharacters(in: .newlines))
        }
        Console.say("Backup: \(manifest.backupID)")
        Console.say("Kind: \(manifest.kind.rawValue)")
        Console.say("CA: \(manifest.authority)")
        Console.say("Made: \(manifest.createdWhen), by version \(manifest.program)")
        Console.say(
            "State: request \(manifest.state.requestID), CRL number \(manifest.state.crlNumber), "
                + "audit entry \(manifest.state.auditSequence)")
        Console.say("Keys:")
        for key in manifest.keys { Console.say("  " + key.line) }
        Console.say("Files:")
        for file in manifest.files { Console.say("  \(file.path), \(file.byteCount) bytes, SHA-256 \(file.sha256)") }
        Console.say("Content:")
        for entry in manifest.entries { Console.say("  \(entry.name), \(entry.byteCount) bytes") }
    }
}

extension BackupManifest.Key {
    fileprivate var line: String {
        "\(self.role.rawValue) \(self.reference ?? "on the agent's card") \(self.subject) SHA-256 \(self.publicKeySHA256)"
            + (self.keeping.map { "; \($0.text)" } ?? "")
    }
}

extension BackupManifest.Key.Keeping {
    fileprivate var text: String {
        switch self.way {
        case .locator: self.detail
        case .copied: "a copy is on \(self.detail)"
        case .none: "not backed up: \(self.detail)"
        }
    }
}
