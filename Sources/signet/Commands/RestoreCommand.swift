import ArgumentParser
import BackupSets
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages

/// `signet restore`
struct RestoreCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a CA from a full backup and its increments.",
        discussion: """
            signetd must not run. Into a directory where no instance is, --authority-sha256 says which CA's backup is \
            trusted. With --force an instance that is there is replaced, and kept beside; what it has issued and revoked \
            since the backup is taken over. --published names lists and certificates that were published elsewhere: \
            a certificate that is revoked there is revoked again.
            """,
        examples: "signet restore /backup/2026-11-21 --instance /srv/issuing --password prompt --force")

    @OptionGroup var options: InstanceOptions
    @OptionGroup var opening: BackupOpenerOptions

    @Argument(help: "The backups' directories: a full one, and its increments in any order.")
    var backups: [String]

    @Option(name: .long, help: "SHA-256 of the CA certificate, or of one above it, hexadecimal.")
    var authoritySHA256: String?

    @Option(name: .long, help: "A file or directory with published lists and certificates. May be repeated.")
    var published: [String] = []

    @OptionGroup var spare: SpareTokenOptions

    @Flag(name: .shortAndLong, help: "Replace the instance that is there.")
    var force = false

    func run(in context: CommandContext) async throws {
        let opener = try await self.opening.neededOpener(in: context)
        let meter = ProgressMeter()
        let order = RestoreOrder(
            backups: self.backups, instance: self.options.instance, opener: opener,
            authoritySHA256: try self.authoritySHA256.map(CertificateHashArgument.bytes), replaces: self.force,
            published: self.published, tokens: try self.spare.configurations(), progress: meter.show)
        let done = try await Restoration(order, secrets: .interactive).run()
        meter.finish()
        Console.say("Restored \"\(done.manifest.authority)\" as of \(done.manifest.createdWhen): \(order.instance)")
        Console.say(
            "Taken over from what was published since: \(done.merged.certificates) certificates, "
                + "\(done.merged.revocations) revocations; the next CRL number is above \(done.merged.crlNumber)")
        if let previous = done.previous { Console.say("The instance that was there: \(previous)") }
        if let place = done.formerDatabase {
            Console.say("The database is in the instance's directory now, and no more at \(place)")
        }
        for file in done.missingSecrets { Console.say("Not in any backup, to be put there again: \(file)") }
        for key in done.keys { key.tell() }
        guard done.keys.allSatisfy({ $0.state == .proven }) else { throw ExitCode(2) }
    }
}

/// The SHA-256 of a certificate on the command line.
enum CertificateHashArgument {
    static func bytes(_ text: String) throws -> [UInt8] {
        let digits = text.filter { $0 != ":" && $0 != " " }.lowercased()
        guard let hash = Hexadecimal.bytes(digits), hash.count == 32 else {
            throw ValidationError("--authority-sha256 takes 64 hexadecimal digits.")
        }
        return hash
    }
}
