import ArgumentParser
import BackupSets
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import KeyArchival
import KeyProvider
import PKIMessages
import SecretMemory

/// How a backup is opened: by a password, or by the token of one of those to whom it is encrypted.
struct BackupOpenerOptions: ParsableArguments {
    @Option(name: .long, help: "Where the backup's password comes from: prompt, file:PATH or env:NAME.")
    var password: String?

    @Option(
        name: .long,
        help: """
            A YAML file that describes a token with the key of a certificate that the backup is encrypted to, with the keys \
            of `tokens:` in signet.yaml. May be repeated.
            """)
    var openerTokenFile: [String] = []

    @Option(name: .long, help: "That certificate, where the token has none beside its key. May be repeated.")
    var openerCertificate: [String] = []

    /// For a restore: where nothing is named, the password is asked for.
    func neededOpener(in context: CommandContext) async throws -> BackupOpener {
        if let opener = try await self.opener(in: context) { return opener }
        return .password(try SecretInput.system.read(.prompt, what: "the password of the backup"))
    }

    /// - Returns: `nil` when nothing is named.
    func opener(in context: CommandContext) async throws -> BackupOpener? {
        guard !self.openerTokenFile.isEmpty else {
            return try self.password.map {
                .password(try SecretInput.system.read(PINSource($0), what: "the password of the backup"))
            }
        }
        guard self.password == nil else {
            throw ValidationError("A backup is opened either by --password or by --opener-token-file.")
        }
        let certificates = try self.openerCertificate.flatMap { try CertificateBundle.parse(FilePaths.read($0)) }
        let opener = try context.opener()
        var tokens: [any KeyToken] = []
        for file in self.openerTokenFile { tokens.append(try await opener.open(TokenConfiguration(path: file))) }
        return .tokens(tokens, certificates: certificates) { await opener.close() }
    }
}

/// Tokens in place of those that the configuration in a backup describes.
struct SpareTokenOptions: ParsableArguments {
    @Option(
        name: .long,
        help:
            "NAME=FILE: the token that FILE describes is used in place of NAME in the backup's signet.yaml. May be repeated."
    )
    var spareToken: [String] = []

    func configurations() throws -> [String: TokenConfiguration] {
        var tokens: [String: TokenConfiguration] = [:]
        for text in self.spareToken {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw ValidationError("--spare-token takes NAME=FILE.") }
            tokens[String(parts[0])] = try TokenConfiguration(path: String(parts[1]))
        }
        return tokens
    }
}

/// `signet backup verify`
struct VerifyBackup: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that backups are whole and signed by the CA, and that they can be restored.",
        discussion: """
            Each backup's signature and files are checked; what can be opened is decrypted and compared. Without an instance, \
            --authority-sha256 names a certificate of the CA or of one above it.
            With --scratch, the full backup and its increments are restored into that directory, which must not be there and is \
            removed at the end: the CA starts there, its audit chain is verified, every key is found on its token and works, and \
            a list is signed that nobody gets. With a recovery agent's card, archived keys are opened as well. Exit code 0 means \
            that all of it was proven, so that a schedule can run it.
            """,
        examples: #"""
            signet backup verify /backup/2026-11-21 --instance /srv/issuing --password prompt
            signet backup verify /backup/full /backup/monday --instance /srv/issuing \
                --password file:backup.password --scratch /var/tmp/scratch
            """#)

    @Option(name: .long, help: "The instance's directory.")
    var instance: String?

    @OptionGroup var opening: BackupOpenerOptions

    @Option(name: .long, help: "SHA-256 of a CA certificate, hexadecimal.")
    var authoritySHA256: String?

    @Option(name: .long, help: "A directory to make, to restore into and to remove.")
    var scratch: String?

    @OptionGroup var spare: SpareTokenOptions

    @OptionGroup var cards: CardOptions

    @Option(name: .long, help: "With a recovery agent's card: how many archived keys are opened.")
    var sample: Int = 1

    @Argument(help: "The backups' directories.")
    var directories: [String]

    func validate() throws {
        guard (self.instance == nil) != (self.authoritySHA256 == nil) else {
            throw ValidationError("Name whose backup it is: either --instance or --authority-sha256.")
        }
        guard self.scratch != nil || (self.spare.spareToken.isEmpty && self.cards.isEmpty) else {
            throw ValidationError("--spare-token and a recovery agent's card need --scratch.")
        }
        guard self.scratch == nil || self.instance != nil else {
            throw ValidationError("--scratch needs --instance, where the uses of the CA key are booked.")
        }
        guard (1...10_000).contains(self.sample) else { throw ValidationError("--sample takes 1 to 10000.") }
    }

    func run(in context: CommandContext) async throws {
        let instance = try self.instance.map { directory in
            var options = InstanceOptions()
            options.instance = directory
            return try context.open(options)
        }
        let opener = try await self.opening.opener(in: context)
        if let instance, let scratch = self.scratch {
            guard let opener else { throw ValidationError("--scratch needs --password or --opener-token-file.") }
            return try await self.rehearse(instance, scratch, opener, context)
        }
        let trust: BackupTrust
        if let text = self.authoritySHA256 {
            trust = .thumbprint(try CertificateHashArgument.bytes(text))
        } else if let instance {
            trust = try await instance.backupTrust()
        } else {
            throw ValidationError("Name whose backup it is: either --instance or --authority-sha256.")
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

    private func rehearse(
        _ instance: Instance, _ scratch: String, _ opener: BackupOpener, _ context: CommandContext
    ) async throws {
        let meter = ProgressMeter()
        let order = RehearsalOrder(
            backups: self.directories, opener: opener, scratchDirectory: scratch,
            tokens: try self.spare.configurations(),
            cards: self.cards.isEmpty ? [] : try await self.cards.open(in: context), sample: self.sample,
            progress: meter.show)
        let done = try await instance.rehearse(order, by: instance.localOperator())
        meter.finish()
        Console.say("Restored \"\(done.manifest.authority)\" as of \(done.manifest.createdWhen), and started.")
        Console.say(
            "Audit chain: \(done.audit.isSound ? "verifies" : "does not verify"), \(done.audit.entries) entries")
        for finding in done.audit.findings { Console.complain("  \(finding)") }
        for key in done.keys { key.tell() }
        for (index, list) in done.lists.sorted(by: { $0.key < $1.key }) {
            Console.say("CRL of key \(index): signed and verified, \(list.entries) entries, given to nobody")
        }
        if let archives = done.archives {
            Console.say("Archived keys: \(archives.recovered.count) opened, \(archives.failures.count) failed")
            for failure in archives.failures { Console.complain("  request \(failure.requestID): \(failure.reason)") }
        }
        guard done.isGood else { throw ExitCode(2) }
    }
}

extension RestoredKey {
    func tell() {
        Console.say(
            "\(self.name): \(self.state == .proven ? "proven" : "does not work, not offered") \(self.reference)")
        for line in self.report?.lines ?? [] { Console.complain("  " + line) }
    }
}

extension TokenConfiguration {
    /// What a file says of one token.
    init(path: String) throws {
        self = try TokenConfiguration(yaml: String(decoding: FilePaths.read(path), as: UTF8.self), file: path)
    }
}
