import ArgumentParser
import CAService
import KeyProvider
import PKIMessages

/// `signet init root|subordinate`
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make an instance, with the CA key generated on a token.",
        subcommands: [InitRoot.self, InitSubordinate.self])
}

/// What both kinds of CA need.
struct InitOptions: ParsableArguments {
    @Argument(help: "The directory to make. It must not exist.")
    var directory: String

    @Option(name: .long, help: "The CA's name.")
    var name: String

    @Option(name: .long, help: "The CA's distinguished name (RFC 4514), such as 'CN=Example Root CA,O=Example'.")
    var subject: String

    @Option(name: .long, help: "p-256, p-384, p-521, rsa-2048, rsa-3072, rsa-4096 ...")
    var keyAlgorithm: KeyAlgorithmArgument?

    @Option(name: .long, help: "Use a key that is on the token: a pkcs11: URI from `signet ca keys`.")
    var existingKey: String?

    @Option(name: .long, help: "Bring the key of an old software CA onto the token, once: its PKCS #12.")
    var importPkcs12: String?

    @Option(name: .long, help: "Where the password of that PKCS #12 comes from: prompt, file:PATH or env:NAME.")
    var importPassword = "prompt"

    @Flag(name: .long, help: "Confirm the import of a key that existed in software, where nobody can be asked.")
    var acceptSoftwareKey = false

    @Option(name: .long, help: "The existing key's CA certificate (PEM or DER); without it a new one is made.")
    var certificate: String?

    @Option(name: .long, help: "A certificate above --certificate. Repeat, parent first.")
    var chain: [String] = []

    @Option(name: .long, help: "CAPolicy.inf, or the same in YAML: docs/hierarchy.md.")
    var policy: String?

    @Option(name: .long, help: "http:// address under which CA certificates and CRLs are published.")
    var publicationURL: String

    @Option(name: .long, help: "Address the service listens on.")
    var host = "127.0.0.1"

    @Option(name: .long, help: "Port of the enrolment pages.")
    var port = 8443

    @Option(name: .long, help: "Port on which CA certificates and CRLs are served without TLS.")
    var publicationPort = 8080

    @Option(name: .long, help: "Appended to a requester's name to make a user principal name.")
    var upnSuffix: String?

    @OptionGroup var token: TokenOptions

    func validate() throws {
        let sources = [self.keyAlgorithm != nil, self.existingKey != nil, self.importPkcs12 != nil]
        guard sources.filter({ $0 }).count == 1 else {
            throw ValidationError("Name one of --key-algorithm, --existing-key and --import-pkcs12.")
        }
        guard self.certificate == nil || self.keyAlgorithm == nil else {
            throw ValidationError("--certificate needs --existing-key or --import-pkcs12.")
        }
        guard !self.acceptSoftwareKey || self.importPkcs12 != nil else {
            throw ValidationError("--accept-software-key needs --import-pkcs12.")
        }
        guard self.chain.isEmpty || self.certificate != nil else {
            throw ValidationError("--chain needs --certificate.")
        }
    }

    func plan(
        type: InstanceConfiguration.AuthorityType, importing imported: ImportedAuthorityKey?
    ) throws -> InstanceCreation.Plan {
        let policy = try self.policy.map { try AuthorityPolicyFile(path: $0) }
        for note in policy?.policy.notes ?? [] { Console.complain("note: \(self.policy ?? ""): \(note)") }
        var configuration = InstanceConfiguration(
            name: self.name, type: type, token: try self.token.configuration(),
            web: .init(
                host: self.host, port: self.port, publicationPort: self.publicationPort,
                publicationURL: self.publicationURL),
            userPrincipalNameSuffix: self.upnSuffix)
        if let policy { try configuration.apply(policy.policy) }
        return InstanceCreation.Plan(
            directory: self.directory, configuration: configuration, subject: self.subject,
            keyAlgorithm: self.keyAlgorithm?.algorithm ?? .p256,
            keySource: try imported.map { .imported($0) } ?? self.existingKey.map { .existing(try KeyReference($0)) }
                ?? .generated, policy: policy)
    }

    /// The key of `--import-pkcs12`, checked, shown and confirmed.
    func importedKey() throws -> ImportedAuthorityKey? {
        guard let path = self.importPkcs12 else { return nil }
        let key = try ImportedAuthorityKey(
            pkcs12: FilePaths.readSecret(path),
            password: SecretInput.system.read(PINSource(self.importPassword), what: "the password of \(path)"),
            certificate: self.namedCertificate())
        let certificate = try CertificateFields(derEncoded: key.certificate.certificate)
        Console.complain("warning: " + ImportedAuthorityKey.warning)
        Console.complain("Key: \(key.algorithm), of the certificate \(certificate.serialHex), \(certificate.subject).")
        let isConfirmed =
            self.acceptSoftwareKey
            || Terminal.confirm("To import it, type the CA's name (\(self.name)): ", answer: self.name)
        guard isConfirmed else { throw ServiceError.importNotConfirmed() }
        return key
    }

    /// The certificate that comes with an existing key.
    func namedCertificate() throws -> AdoptedCertificate? {
        try self.certificate.map { path in
            AdoptedCertificate(
                certificate: try Output.readDER(path, what: path),
                chain: try self.chain.map { try Output.readDER($0, what: $0) })
        }
    }
}

/// `signet init root`
struct InitRoot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "root", abstract: "Make a self-signed root CA.")

    @OptionGroup var options: InitOptions

    @Option(name: .long, help: "How long the CA certificate is valid; what the policy file says, or 20, when left out.")
    var validityYears: Int?

    func run() async throws {
        let imported = try self.options.importedKey()
        let creation = try InstanceCreation(
            plan: self.options.plan(type: .root, importing: imported), secrets: .interactive)
        let certificate =
            if let adopted = try imported?.certificate ?? self.options.namedCertificate() {
                try await creation.adopt(adopted)
            } else {
                try await creation.makeRoot(validityYears: self.validityYears)
            }
        Console.say("Root CA \"\(self.options.name)\" made in \(self.options.directory).")
        Console.say("Certificate SHA-256: \(certificate.thumbprintText)")
        Console.say("Published: \(certificate.publishedPath)")
    }
}

/// `signet init subordinate`
struct InitSubordinate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "subordinate", abstract: "Make a CA whose certificate another CA signs.")

    @OptionGroup var options: InitOptions

    @OptionGroup var parent: ParentOptions

    @Option(name: .long, help: "Where the PKCS#10 request for the parent CA is written (PEM).")
    var requestOut: String?

    func run(in context: CommandContext) async throws {
        let client = try self.parent.client()
        let imported = try self.options.importedKey()
        let creation = try InstanceCreation(
            plan: self.options.plan(type: .subordinate, importing: imported), secrets: .interactive)
        if let adopted = try imported?.certificate ?? self.options.namedCertificate() {
            let certificate = try await creation.adopt(adopted)
            Console.say("CA \"\(self.options.name)\" made in \(self.options.directory) with its certificate.")
            return Console.say("Certificate SHA-256: \(certificate.thumbprintText)")
        }
        guard self.requestOut != nil || client != nil else {
            throw ValidationError("Name the file with --request-out, or the parent with --parent.")
        }
        let request = try await creation.makeSubordinate { [path = self.requestOut] request in
            if let path { try Output.writePEM(request, label: "CERTIFICATE REQUEST", to: path) }
        }
        Console.say("CA \"\(self.options.name)\" made in \(self.options.directory); it waits for its certificate.")
        if let client {
            var made = InstanceOptions()
            made.instance = self.options.directory
            let instance = try context.open(made)
            let outcome = try await ParentEnrollment(instance, parent: client)
                .submit(request, by: instance.localOperator())
            return self.parent.report(outcome, instance: self.options.directory)
        }
        Console.say("Request (\(request.count) bytes): \(self.requestOut ?? "")")
        Console.say(
            "Next: have it signed by the parent, then: signet ca install --instance \(self.options.directory) ...")
    }
}
