import ArgumentParser
import CAService
import CertificateAuthority

/// `signet certificate import`
struct ImportCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Store a certificate that the database does not have (certificate managers).",
        discussion: """
            One that this CA has issued and that a restore or an accident has lost: it can be revoked again. For many at once, and \
            for lists, see `signet database rebuild`. Certificates of other CAs need archival.foreign-certificates and --force.
            """,
        examples: """
            signet certificate import www.crt --instance /srv/issuing
            signet certificate import --pending www.crt --instance /srv/issuing
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "It answers the pending request for its key.")
    var pending = false

    @Flag(name: .long, help: "Take a certificate that this CA has not issued.")
    var force = false

    @Argument(help: "The certificate, PEM or DER.")
    var file: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let done = try await instance.importCertificate(
            CertificateImportOrder(
                certificate: FilePaths.read(self.file), isForced: self.force, answersPending: self.pending),
            by: instance.localOperator())
        Console.say(
            "Certificate \(done.serialNumber): request \(done.requestID)" + (done.isForeign ? ", of another CA" : ""))
    }
}
