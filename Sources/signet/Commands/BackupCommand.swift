import ArgumentParser
import BackupSets
import CAService
import CertificateAuthority
import Foundation
import PKIMessages

/// `signet backup create|show|verify`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Backups of a CA: database, configuration, templates, lists, audit chain.",
        subcommands: [CreateBackup.self, ShowBackup.self, VerifyBackup.self])
}

/// How a backup is opened.
struct BackupPasswordOption: ParsableArguments {
    @Option(name: .long, help: "Where the backup's password comes from: prompt, file:PATH or env:NAME.")
    var password: String?
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
    @OptionGroup var password: BackupPasswordOption

    @Argument(help: "The directory to make.")
    var directory: String

    @Option(name: .long, help: "A certificate, PEM or DER, whose RSA key shall open the backup. May be repeated.")
    var recipient: [String] = []

    @Flag(name: .shortAndLong, help: "Replace the backup that is in the directory, when the new one is whole.")
    var force = false

    func validate() throws {
        guard self.password.password != nil || !self.recipient.isEmpty else {
            throw ValidationError(
                "Name who shall open the backup: --password SOURCE, --recipient CERTIFICATE, or both.")
        }
    }

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        // Before a password is asked for.
        let who = try await instance.localOperator()
        try who.mustBeAllowed(.backUp, to: "back the CA up")
        let authority = try await instance.authority(settling: false)
        let recipients = try BackupRecipients(
            certificates: self.recipient.flatMap { try CertificateBundle.parse(FilePaths.read($0)) },
            password: self.password.password.map {
                try SecretInput.system.readNew(PINSource($0), what: "a password for the backup")
            })
        let meter = ProgressMeter()
        let order = BackupOrder(
            directory: self.directory, recipients: recipients, replaces: self.force, progress: meter.show)
        let made = try await authority.backUp(order, by: who)
        meter.finish()
        Console.say("Backup \(made.manifest.backupID), \(made.manifest.kind.rawValue), verified: \(made.directory)")
        Console.say("Manifest SHA-256: \(Hexadecimal.lower(made.manifestSHA256))")
        Console.say("Keys stay on their tokens:")
        for key in made.manifest.keys { Console.say("  " + key.line) }
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

/// `signet backup verify`
struct VerifyBackup: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that backups are whole and signed by the CA.",
        discussion: """
            With --password, everything is decrypted and compared. Without an instance, --authority-sha256 names a \
            certificate of the CA or of one above it.
            """,
        examples: "signet backup verify /backup/2026-11-21 --instance /srv/issuing --password prompt")

    @Option(name: .long, help: "The instance's directory.")
    var instance: String?

    @OptionGroup var password: BackupPasswordOption

    @Option(name: .long, help: "SHA-256 of a CA certificate, hexadecimal.")
    var authoritySHA256: String?

    @Argument(help: "The backups' directories.")
    var directories: [String]

    func validate() throws {
        guard (self.instance == nil) != (self.authoritySHA256 == nil) else {
            throw ValidationError("Name whose backup it is: either --instance or --authority-sha256.")
        }
    }

    func run(in context: CommandContext) async throws {
        let trust = try await self.trust(context)
        let opener = try self.password.password.map {
            BackupOpener.password(
                try SecretInput.system.read(PINSource($0), what: "the password of the backup"))
        }
        for directory in self.directories {
            let set = try BackupSet(directory)
            let meter = ProgressMeter()
            try await set.verify(trusting: trust, opener: opener, progress: meter.show)
            meter.finish()
            Console.say(
                "\(directory): \(set.manifest.kind.rawValue) backup of \"\(set.manifest.authority)\", "
                    + (opener == nil ? "files whole, not decrypted" : "whole, decrypted and compared"))
        }
    }

    private func trust(_ context: CommandContext) async throws -> BackupTrust {
        guard let text = self.authoritySHA256 else {
            var options = InstanceOptions()
            options.instance = self.instance ?? "."
            return try await context.open(options).backupTrust()
        }
        return .thumbprint(try CertificateHashArgument.bytes(text))
    }
}

extension BackupManifest.Key {
    fileprivate var line: String {
        "\(self.role.rawValue) \(self.reference ?? "on the agent's card") \(self.subject) SHA-256 \(self.publicKeySHA256)"
    }
}
