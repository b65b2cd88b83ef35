import ArgumentParser
import CAService
import PKIMessages

/// What is asked for.
struct RequestContentOptions: ParsableArguments {
    @Option(name: .long, help: "The certificate template; that of the certificate that is renewed when left out.")
    var template: String?

    @Option(name: .long, help: "The subject's distinguished name (RFC 4514); empty, or the renewed one, when left out.")
    var subject: String?

    @Option(name: .long, help: "An alternative name: dns:, email:, uri:, ip: or upn: with the name. May be repeated.")
    var san: [String] = []

    @Option(name: .long, help: "A Name:Value attribute that goes along in the request. May be repeated.")
    var attribute: [String] = []

    func content(renewing: CertificateFields?) throws -> RequestContent {
        guard self.template != nil || renewing != nil else {
            throw ValidationError("Name the template with --template.")
        }
        return try RequestContent(
            subject: self.subject, alternativeNames: self.san, template: self.template, attributes: self.attribute,
            renewing: renewing)
    }
}

/// Who signs beside the new key.
struct RequestSignerOptions: ParsableArguments {
    @Option(name: .long, help: "The certificate to be renewed: a PKCS #12, or the certificate, its key on a token.")
    var renew: String?

    @Option(name: .long, help: "Where the password of that PKCS #12 comes from: prompt, file:PATH or env:NAME.")
    var renewPassword = "prompt"

    @Option(name: .long, help: "A YAML file that describes the old key's token, where it is another one.")
    var renewToken: String?

    @Flag(name: .long, help: "Renew for the same key; no key is made.")
    var sameKey = false

    @OptionGroup var agents: AgentOptions

    func renewed(in context: CommandContext, _ own: OwnKeyOptions) async throws -> RequesterCredential? {
        guard let path = self.renew else { return nil }
        return try await CredentialSource(
            option: "--renew", path: path, password: self.renewPassword, tokenFile: self.renewToken
        ).open(in: context, orOn: own)
    }

    func agent(in context: CommandContext, _ own: OwnKeyOptions) async throws -> EnrollmentAgentSignature? {
        try await self.agents.signature(in: context, own)
    }
}

/// Who asks for somebody else.
struct AgentOptions: ParsableArguments {
    @Option(name: .long, help: "The enrolment agent's PKCS #12, or the agent's certificate, its key on a token.")
    var agent: String?

    @Option(name: .long, help: "Where the password of the agent's PKCS #12 comes from.")
    var agentPassword = "prompt"

    @Option(name: .long, help: "A YAML file that describes the agent's token, where it is another one.")
    var agentToken: String?

    @Option(name: .long, help: "Whom the certificate is for, as the CA names them (needs --agent).")
    var onBehalfOf: String?

    func validate() throws {
        guard self.agent != nil || self.onBehalfOf == nil else {
            throw ValidationError("--on-behalf-of needs --agent.")
        }
    }

    func signature(in context: CommandContext, _ own: OwnKeyOptions) async throws -> EnrollmentAgentSignature? {
        guard let path = self.agent else { return nil }
        let credential = try await CredentialSource(
            option: "--agent", path: path, password: self.agentPassword, tokenFile: self.agentToken
        ).open(in: context, orOn: own)
        return EnrollmentAgentSignature(agent: credential, requesterName: self.onBehalfOf)
    }
}

/// To whom a private key goes for archival.
struct ArchivalOptions: ParsableArguments {
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

    func archival() throws -> SubscriberRequest.Archival? {
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

/// A form of request on the command line.
struct RequestFormArgument: ExpressibleByArgument {
    var form: SubscriberRequest.Form

    init?(argument: String) {
        guard let form = SubscriberRequest.Form(rawValue: argument) else { return nil }
        self.form = form
    }
}
