import ArgumentParser
import CAService
import CertificateAuthority

/// `signet database rebuild`
struct RebuildDatabase: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Take over certificates and CRLs that this CA has published.",
        discussion: """
            For a database that was lost: what one of the CA's keys has signed and the database does not have is stored again, \
            revocations among it, and the next CRL number is above all that were published. Requests, requesters, archived keys \
            and the audit chain of before come from backups alone. Files of other CAs are passed over. \
            Running it again changes nothing. See docs/runbooks/lost-database.md.
            """,
        examples: "signet database rebuild /srv/www/pki issued --instance /srv/issuing")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "Files and directories with certificates and CRLs.")
    var paths: [String]

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let merged = try await instance.takeOver(published: self.paths, by: instance.localOperator())
        Console.say("Taken over: \(merged.certificates) certificates, \(merged.revocations) revocations")
        if merged.crlNumber > 0 { Console.say("The next CRL number is above \(merged.crlNumber)") }
    }
}
