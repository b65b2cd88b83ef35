import ArgumentParser
import CAService
import CertificateAuthority
import KeyProvider
import PKIMessages

/// `signet request accept`
struct AcceptCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Put an issued certificate beside its key, on the token or in the PKCS #12.",
        discussion: """
            The certificate must be of the key that waits, and its chain must end at one of the CA certificates that you \
            trust; otherwise nothing is written. The certificate comes from a file (certificate, .p7b or CMC response), \
            from an enrolment service (--url, --request) or from a local instance (--instance, --request).
            """,
        examples: #"""
            signet request accept alice.crt --pkcs12 alice.p12 --pkcs12-password prompt \
                --ca-certificates chain.pem
            signet request accept --request 17 --url https://ca.example.com/certsrv --user alice \
                --password prompt --token-file card.yaml --ca-certificates chain.pem
            """#)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var service: ServiceOptions
    @OptionGroup var place: OwnKeyOptions

    @Option(name: .long, help: "PEM file of the CA certificates that you trust, the root among them.")
    var caCertificates: String?

    @Option(name: .long, help: "The number of the request.")
    var request: Int64?

    @Argument(help: "The certificate, where it does not come from a request.")
    var certificate: String?

    func validate() throws {
        guard (self.request == nil) != (self.certificate == nil) else {
            throw ValidationError("Name either --request or a file.")
        }
        guard self.caCertificates != nil || (self.certificate == nil && self.service.url == nil) else {
            throw ValidationError("Name the CA certificates that you trust with --ca-certificates.")
        }
        guard (self.place.pkcs12 == nil) == self.place.namesToken else {
            throw ValidationError("Name the key's place: a token, or --pkcs12.")
        }
    }

    func run(in context: CommandContext) async throws {
        var trusted = try self.caCertificates.map { try CertificateBundle.parse(FilePaths.read($0)) } ?? []
        let answer: [CertificateFields]
        if let path = self.certificate {
            answer = try CertificateAcceptance.certificates(in: FilePaths.read(path))
        } else if let client = try self.service.client() {
            answer = try await client.chain(ofRequest: self.request ?? 0)
        } else {
            let instance = try context.open(self.options)
            answer = [
                try await instance.issuedCertificate(ofRequest: self.request ?? 0, for: instance.localOperator())
            ]
            trusted += try await instance.authorityCertificates()
        }
        let acceptance = CertificateAcceptance(answer: answer, trusted: trusted)
        if let file = try self.place.file() {
            let certificate = try acceptance.install(in: file)
            Console.say("Certificate \(certificate.serialHex) and its chain written into \(file.path).")
        } else {
            let token = try await context.open(self.place.token)
            let (certificate, pair) = try await acceptance.install(on: token)
            Console.say(
                "Certificate \(certificate.serialHex) written to \(token.identification) beside key \(pair.label).")
        }
    }
}

/// `signet request abandon`
struct AbandonRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "abandon", abstract: "Remove a request's key from the token, when it gets no certificate.",
        discussion: "A key that has a certificate beside it stays.",
        examples: "signet request abandon alice.req --token-file card.yaml")

    @OptionGroup var token: TokenOptions

    @Argument(help: "The request, PEM, base64 or DER.")
    var request: String

    func run(in context: CommandContext) async throws {
        let message = try RequestMessage(derEncoded: Output.readDER(self.request, what: self.request))
        let token = try await context.open(self.token)
        let pair = try await token.removeUncertifiedKey(message.certificationRequest.subjectPublicKeyInfo)
        Console.say("Key \(pair.label) removed from \(token.identification).")
    }
}
