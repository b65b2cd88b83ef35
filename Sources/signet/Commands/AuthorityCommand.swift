import ArgumentParser
import CAService
import CertificateAuthority
import PKIMessages

/// `signet ca install|resume|renew|link|cross-certify|keys|show|exchange|release-key|forbid-extraction|restore-keys`
struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "The CA's own certificates.",
        subcommands: [
            InstallCertificate.self, ResumeEnrollment.self, RenewCertificate.self, LinkKeys.self,
            CrossCertify.self, ListAuthorityKeys.self, ShowAuthority.self, ExchangeCertificate.self, ReleaseKey.self,
            ForbidExtraction.self, RestoreKeys.self,
        ])
}

/// `signet ca install`
struct InstallCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Install the certificate that the parent CA issued.",
        examples: "signet ca install issuing.crt --chain root.crt --instance /srv/issuing")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "A certificate between this CA and the root, or the root. Repeat, parent first.")
    var chain: [String]

    @Argument(help: "The CA's certificate, PEM or DER.")
    var certificate: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let installed = try await instance.installCertificate(
            Output.readDER(self.certificate, what: self.certificate),
            chain: self.chain.map { try Output.readDER($0, what: $0) }, by: instance.localOperator())
        Console.say("Installed. Certificate SHA-256: \(installed.thumbprintText)")
        Console.say("Published: \(installed.publishedPath)")
        Console.say(installed.backupAdvice(instance: self.options.instance))
    }
}

/// `signet ca resume`
struct ResumeEnrollment: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Ask the parent's service after this CA's request, and install its certificate.",
        discussion: "A request that could not be sent is sent.",
        examples: #"""
            signet ca resume --instance /srv/issuing --parent https://root.example.com/certsrv \
                --parent-user operator --parent-password prompt
            """#)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var parent: ParentOptions

    func run(in context: CommandContext) async throws {
        guard let client = try self.parent.client() else { throw ValidationError("Name the parent with --parent.") }
        let instance = try context.open(self.options)
        let outcome = try await ParentEnrollment(instance, parent: client).resume(by: instance.localOperator())
        self.parent.report(outcome, instance: self.options.instance)
    }
}

/// `signet ca show`
struct ShowAuthority: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the CA's certificate and chain.",
        examples: "signet ca show --pem-out chain.pem")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Write the chain as PEM, the CA's own certificate first.")
    var pemOut: String?

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let chain = try await instance.authorityCertificates()
        if let description = instance.configuration.description { Console.say("Description: \(description)") }
        for certificate in chain { self.show(certificate) }
        for (record, certificate) in try await instance.formerAuthorityCertificates() {
            Console.say("Before, certificate \(record.index) of key \(record.keyIndex):")
            self.show(certificate)
        }
        try await self.showLinks(of: instance)
        if let path = self.pemOut {
            let text = chain.map { TextEncoding.pem($0.derBytes, label: "CERTIFICATE") }.joined()
            try FilePaths.create(path, with: Array(text.utf8), mode: 0o644)
            Console.say("Chain: \(path)")
        }
    }
}

extension ShowAuthority {
    private func showLinks(of instance: Instance) async throws {
        for (record, certificate) in try await instance.linkCertificates() {
            Console.say("Link \(record.linkSuffix ?? ""), \(record.use.rawValue):")
            self.show(certificate)
        }
        let missing = try await instance.missingLinkCount()
        if missing > 0 {
            Console.say("\(missing) link certificates are missing: signet ca link --instance \(self.options.instance)")
        }
    }

    private func show(_ certificate: CertificateFields) {
        Console.say("Subject: \(certificate.subject)")
        Console.say("  Serial: \(certificate.serialHex)")
        Console.say("  Valid: \(Output.time(certificate.notBefore)) to \(Output.time(certificate.notAfter))")
    }
}

/// `signet ca exchange`
struct ExchangeCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "exchange",
        abstract: "Give the CA exchange certificate, to which requesters encrypt keys for archival.",
        discussion: "When none is valid, or it ends within a day, a new key is generated on the token.",
        examples: "signet ca exchange --out exchange.crt")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "Where to write the certificate (PEM).")
    var out: String

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        let record = try await authority.exchangeCertificate(for: authority.localOperator())
        try Output.writePEM(record.certificateDER, label: "CERTIFICATE", to: self.out)
        Console.say("Exchange certificate, valid until \(Output.time(record.notAfter)): \(self.out)")
    }
}
