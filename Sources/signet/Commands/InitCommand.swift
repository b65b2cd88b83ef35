import ArgumentParser
import CAService
import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages

/// `signet init root|subordinate`
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make an instance, with the CA key generated on a token.",
        subcommands: [InitRoot.self, InitSubordinate.self])
}

extension AuthorityPolicy.Period: ExpressibleByArgument {
    /// A certificate that is valid for no time is none.
    public init?(argument: String) {
        self.init(argument)
        guard self.count > 0 else { return nil }
    }
}

/// A hash algorithm on the command line.
struct HashAlgorithmArgument: ExpressibleByArgument {
    var digest: Digest

    init?(argument: String) {
        guard let digest = Digest(authorityText: argument) else { return nil }
        self.digest = digest
    }
}

/// What both kinds of CA need.
struct InitOptions: ParsableArguments {
    @Argument(help: "The directory to make. It must not exist.")
    var directory: String

    @Option(name: .long, help: "The CA's name.")
    var name: String

    @Option(name: .long, help: "The CA's distinguished name (RFC 4514), such as 'CN=Example Root CA,O=Example'.")
    var subject: String

    @Option(name: .long, help: "A description of the CA, for people.")
    var description: String?

    @Flag(
        name: .long,
        help: "A stand-alone CA: requested extensions, and every request waits; templates decide otherwise.")
    var standAlone = false

    @Option(name: .long, help: "With what the CA signs: sha-256, sha-384 or sha-512; what fits its key when left out.")
    var hashAlgorithm: HashAlgorithmArgument?

    @Option(name: .long, help: "Where the database is to be; in the instance when left out.")
    var database: String?

    @Flag(name: .long, help: "--database is that of this CA already, whose instance was lost.")
    var preserveDatabase = false

    @Option(name: .long, help: "p-256, p-384, p-521, rsa-2048, rsa-3072, rsa-4096 ...")
    var keyAlgorithm: KeyAlgorithmArgument?

    @Flag(
        name: .long,
        help: """
            Let another token have a copy of the CA key, wrapped (RFC 5649): `signet backup keys`. To be decided now; without \
            it the key can never leave its device.
            """)
    var copyableKey = false

    @Option(name: .long, help: "Use a key that is on the token: a pkcs11: URI from `signet ca keys`.")
    var existingKey: String?

    @Option(name: .long, help: "Bring the key of an old software CA onto the token, once: its PKCS #12.")
    var importPkcs12: String?

    @Option(name: .long, help: "Where the password of that PKCS #12 comes from: prompt, file:PATH or env:NAME.")
    var importPassword = "prompt"

    @Flag(
        name: .long,
        help: """
            Leave the imported key extractable, so that a PKCS #12 can be made of it again: `signet backup keys --pkcs12`. To be \
            decided now, and ended with `signet ca forbid-extraction`; without it the key can never leave its device.
            """)
    var extractable = false

    @Flag(name: .long, help: "Confirm the import of a key that existed in software, where nobody can be asked.")
    var acceptSoftwareKey = false

    @Option(name: .long, help: "The existing key's CA certificate (PEM or DER); without it a new one is made.")
    var certificate: String?

    @Flag(name: .long, help: "Take the CA certificate that lies beside the existing key on its token.")
    var useTokenCertificate = false

    @Option(name: .long, help: "A certificate above the existing key's. Repeat, parent first.")
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
        guard !self.copyableKey || self.keyAlgorithm != nil else {
            throw ValidationError("--copyable-key is for a key that is generated.")
        }
        guard !self.extractable || self.importPkcs12 != nil else {
            throw ValidationError("--extractable needs --import-pkcs12; for a key that is generated: --copyable-key.")
        }
        guard !self.acceptSoftwareKey || self.importPkcs12 != nil else {
            throw ValidationError("--accept-software-key needs --import-pkcs12.")
        }
        guard !self.useTokenCertificate || (self.existingKey != nil && self.certificate == nil) else {
            throw ValidationError("--use-token-certificate needs --existing-key, and takes the place of --certificate.")
        }
        guard self.chain.isEmpty || self.certificate != nil || self.useTokenCertificate else {
            throw ValidationError("--chain needs --certificate or --use-token-certificate.")
        }
        let hasCertificate = self.certificate != nil || self.useTokenCertificate
        guard !self.preserveDatabase || (self.database != nil && self.existingKey != nil && hasCertificate) else {
            throw ValidationError(
                "--preserve-database needs --database, and the existing key with its certificate.")
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
        configuration.description = self.description
        if let hash = self.hashAlgorithm { configuration.hashAlgorithm = hash.digest }
        if self.standAlone { configuration.policy = PolicyConfiguration(module: .standalone) }
        // A path that is given from here is not meant from inside the instance.
        configuration.database = self.database.map {
            FilePaths.resolve($0, in: FileManager.default.currentDirectoryPath)
        }
        var plan = InstanceCreation.Plan(
            directory: self.directory, configuration: configuration, subject: self.subject,
            keyAlgorithm: self.keyAlgorithm?.algorithm ?? .p256,
            keySource: try imported.map { .imported($0) } ?? self.existingKey.map { .existing(try KeyReference($0)) }
                ?? .generated, policy: policy)
        plan.preservesDatabase = self.preserveDatabase
        plan.keyMayBeCopied = self.copyableKey || self.extractable
        return plan
    }

    /// Takes a CA over whose certificate there is; `nil` where it is to be made.
    func adopt(_ creation: InstanceCreation, _ imported: ImportedAuthorityKey?) async throws -> InstalledCertificate? {
        if self.useTokenCertificate { return try await creation.adoptFromToken(chain: self.chainDER()) }
        guard let adopted = try imported?.certificate ?? self.namedCertificate() else { return nil }
        return try await creation.adopt(adopted)
    }

    private func chainDER() throws -> [[UInt8]] { try self.chain.map { try Output.readDER($0, what: $0) } }

    /// The key of `--import-pkcs12`, checked, shown and confirmed.
    func importedKey() throws -> ImportedAuthorityKey? {
        guard let path = self.importPkcs12 else { return nil }
        let key = try ImportedAuthorityKey(
            pkcs12: FilePaths.readSecret(path),
            password: SecretInput.system.read(PINSource(self.importPassword), what: "the password of \(path)"),
            certificate: self.namedCertificate())
        let certificate = try CertificateFields(derEncoded: key.certificate.certificate)
        Console.complain("warning: " + ImportedAuthorityKey.warning)
        if self.extractable { Console.complain("warning: " + ImportedAuthorityKey.extractableWarning) }
        Console.complain("Key: \(key.algorithm), of the certificate \(certificate.serialHex), \(certificate.subject).")
        let isConfirmed =
            self.acceptSoftwareKey
            || Terminal.confirm("To import it, type the CA's name (\(self.name)): ", answer: self.name)
        guard isConfirmed else { throw ServiceError.importNotConfirmed() }
        return key
    }

    /// The certificate that comes with an existing key.
    private func namedCertificate() throws -> AdoptedCertificate? {
        try self.certificate.map { path in
            AdoptedCertificate(
                certificate: try Output.readDER(path, what: path),
                chain: try self.chainDER())
        }
    }
}

/// `signet init root`
struct InitRoot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "root", abstract: "Make a self-signed root CA.",
        examples: #"""
            signet init root /srv/root --name "Example Root CA" \
                --subject "CN=Example Root CA,O=Example" --publication-url http://pki.example.com/ \
                --token-file hsm.yaml --key-algorithm p-384 --validity "20 years"
            signet init root /srv/old --name "Old CA" --subject "CN=Old CA" \
                --publication-url http://pki.example.com/ --token-file hsm.yaml \
                --import-pkcs12 old-ca.p12 --import-password prompt
            """#)

    @OptionGroup var options: InitOptions

    @Option(
        name: .long,
        help:
            "How long the CA certificate is valid: '20 years', '18 months', '6 weeks'; else what the policy file says.")
    var validity: AuthorityPolicy.Period?

    func run() async throws {
        let imported = try self.options.importedKey()
        let creation = try InstanceCreation(
            plan: self.options.plan(type: .root, importing: imported), secrets: .interactive)
        let certificate =
            if let adopted = try await self.options.adopt(creation, imported) {
                adopted
            } else {
                try await creation.makeRoot(validity: self.validity)
            }
        Console.say("Root CA \"\(self.options.name)\" made in \(self.options.directory).")
        Console.say("Certificate SHA-256: \(certificate.thumbprintText)")
        Console.say("Expires on: \(Output.time(certificate.notAfter))")
        Console.say("Published: \(certificate.publishedPath)")
        Console.say(certificate.backupAdvice(instance: self.options.directory))
    }
}

/// `signet init subordinate`
struct InitSubordinate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "subordinate", abstract: "Make a CA whose certificate another CA signs.",
        examples: #"""
            signet init subordinate /srv/issuing --name "Example Issuing CA" \
                --subject "CN=Example Issuing CA,O=Example" --publication-url http://pki.example.com/ \
                --token-file hsm.yaml --request-out issuing.req
            signet init subordinate /srv/issuing --name "Example Issuing CA" \
                --subject "CN=Example Issuing CA" --publication-url http://pki.example.com/ \
                --token-file hsm.yaml --parent https://root.example.com/certsrv --parent-user operator \
                --parent-password prompt
            """#)

    @OptionGroup var options: InitOptions

    @OptionGroup var parent: ParentOptions

    @Option(name: .long, help: "Where the PKCS#10 request for the parent CA is written (PEM).")
    var requestOut: String?

    func run(in context: CommandContext) async throws {
        let client = try self.parent.client()
        let imported = try self.options.importedKey()
        let creation = try InstanceCreation(
            plan: self.options.plan(type: .subordinate, importing: imported), secrets: .interactive)
        if let certificate = try await self.options.adopt(creation, imported) {
            Console.say("CA \"\(self.options.name)\" made in \(self.options.directory) with its certificate.")
            Console.say("Certificate SHA-256: \(certificate.thumbprintText)")
            return Console.say(certificate.backupAdvice(instance: self.options.directory))
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
