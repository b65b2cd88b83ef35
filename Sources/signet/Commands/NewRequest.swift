import ArgumentParser
import CAService

/// `signet request new`
struct NewRequest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a key and a request for it.",
        discussion: """
            With --archive the request is a CMC message that carries the private key, encrypted to the CA exchange
            certificate after that certificate was checked against the CA's.
            """)

    @Option(name: .long, help: "The certificate template.")
    var template: String

    @Option(name: .long, help: "The subject's distinguished name (RFC 4514).")
    var subject: String

    @Flag(name: .long, help: "Send the private key along, for archival.")
    var archive = false

    @Option(name: .long, help: "The CA exchange certificate (with --archive).")
    var exchangeCertificate: String?

    @Option(name: .long, help: "The CA's certificate and its chain in one PEM file (with --archive).")
    var caCertificates: String?

    @Option(name: .long, help: "The CA's current CRL, DER or PEM: the exchange certificate is looked up in it.")
    var crl: String?

    @Option(name: .long, help: "How the key is encrypted: token-wrapped, cms-aes or microsoft-2003 (with --archive).")
    var keyFormat = "token-wrapped"

    @Option(name: .long, help: "Length of the RSA key in bits.")
    var keyBits = 2048

    @Option(name: .long, help: "Where the request is written: DER for CMC, PEM for PKCS#10.")
    var out: String

    @Option(name: .long, help: "Where the private key is written, as encrypted PKCS#8 (PEM, mode 0600).")
    var keyOut: String

    @Option(
        name: .long, help: "Where the password of the private key's file comes from: prompt, file:PATH or env:NAME.")
    var keyPassword: String = "prompt"

    func run() async throws {
        let request = SubscriberRequest(
            template: self.template, subject: self.subject, keyBits: self.keyBits,
            archival: try self.archivalOptions())
        let password = try SecretInput.system.readNew(
            PINSource(self.keyPassword), what: "a password for the private key's file")
        let made = try request.make()
        try FilePaths.create(self.keyOut, with: made.encryptedKeyPEM(password: password), mode: 0o600)
        do {
            switch made.message {
            case .pkcs10(let der): try Output.writePEM(der, label: "CERTIFICATE REQUEST", to: self.out)
            case .cmc(let der): try Output.writePEM(der, label: "CMC", to: self.out)
            }
        } catch {
            try FilePaths.remove(self.keyOut)
            throw error
        }
        Console.say("Request: \(self.out)")
        Console.say("Private key, encrypted with the password: \(self.keyOut)")
    }

    private func archivalOptions() throws -> SubscriberRequest.Archival? {
        guard self.archive else { return nil }
        guard let exchange = self.exchangeCertificate, let authorities = self.caCertificates, let crl = self.crl else {
            throw ValidationError("--archive needs --exchange-certificate, --ca-certificates and --crl.")
        }
        guard let format = SubscriberRequest.KeyFormat(rawValue: self.keyFormat) else {
            throw ValidationError("--key-format is one of token-wrapped, cms-aes, microsoft-2003.")
        }
        return try SubscriberRequest.Archival(
            exchangeCertificateDER: Output.readDER(exchange, what: exchange),
            authorityPEM: FilePaths.read(authorities), revocationListDER: Output.readDER(crl, what: crl), format: format
        )
    }
}
