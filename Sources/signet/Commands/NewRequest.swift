import ArgumentParser
import CAService
import CertificateAuthority
import KeyProvider
import PKIMessages

/// `signet request new`
struct NewRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a key and a request for it.",
        discussion: """
            The key is made on a token (--token-file ..., its room is checked first), in a PKCS #12 (--pkcs12), or in an \
            encrypted PKCS #8 (--key-out). `signet request accept` puts the certificate beside it.
            A renewal (--renew) is signed by the old key as well and takes over what is not said. An enrolment agent \
            (--agent) asks for somebody else (--on-behalf-of).
            With --archive the request is a CMC message that carries the private key, encrypted to the CA exchange \
            certificate after that certificate was checked against the CA's.
            """,
        examples: #"""
            signet request new --template WebServer --subject CN=www.example.com \
                --san dns:www.example.com --key-out www.key --key-password prompt --out www.req
            signet request new --template SmartcardUser --subject CN=alice --token-file card.yaml \
                --out alice.req
            signet request new --template User --subject CN=alice --archive \
                --exchange-certificate exchange.crt --ca-certificates chain.pem --pkcs12 alice.p12 \
                --pkcs12-password prompt --out alice.req
            """#)

    @OptionGroup var content: RequestContentOptions
    @OptionGroup var signers: RequestSignerOptions
    @OptionGroup(title: "Archival") var archival: ArchivalOptions

    @Option(name: .long, help: "pkcs10, pkcs7 or cmc; the simplest that carries all of it when left out.")
    var form: RequestFormArgument?

    @Option(name: .long, help: "Algorithm of the new key: rsa-2048 and longer, p-256, p-384, p-521, ed25519.")
    var keyAlgorithm: KeyAlgorithmArgument?

    @Option(name: .long, help: "Label of the key on the token; the subject's common name when left out.")
    var label: String?

    @OptionGroup(title: "The key's place") var place: OwnKeyOptions

    @Option(name: .long, help: "Where the private key is written, as encrypted PKCS#8 (PEM, mode 0600).")
    var keyOut: String?

    @Option(
        name: .long, help: "Where the password of the private key's file comes from: prompt, file:PATH or env:NAME.")
    var keyPassword: String = "prompt"

    @Option(name: .long, help: "Where the request is written (PEM).")
    var out: String

    func validate() throws {
        let places = [self.place.pkcs12 != nil, self.keyOut != nil].filter { $0 }.count
        guard self.signers.sameKey ? places == 0 : places == 1 || (places == 0 && self.place.namesToken) else {
            throw ValidationError("Name one place for the key: a token, --pkcs12 or --key-out; none with --same-key.")
        }
        guard self.keyAlgorithm == nil || !self.signers.sameKey else {
            throw ValidationError("--same-key makes no key; leave --key-algorithm away.")
        }
    }

    func run(in context: CommandContext) async throws {
        guard !FilePaths.exists(self.out) else { throw ServiceError.exists(self.out, "The file") }
        let renewing = try await self.signers.renewed(in: context, self.place)
        let agent = try await self.signers.agent(in: context, self.place)
        let content = try self.content.content(renewing: renewing?.certificate)
        let archival = try self.archival.archival()
        let key = try await self.makeKey(content, renewing, in: context)
        do {
            let message = try await SubscriberRequest(
                content, key: key.key, form: self.form?.form, renewing: renewing, agent: agent, archival: archival
            ).make()
            try Output.writePEM(message.der, label: message.label, to: self.out)
        } catch {
            throw await key.discard(after: error)
        }
        Console.say("Request: \(self.out)")
        Console.say(key.text)
    }

    private func makeKey(
        _ content: RequestContent, _ renewing: RequesterCredential?, in context: CommandContext
    ) async throws -> MadeKey {
        let algorithm = self.keyAlgorithm?.algorithm ?? .rsa(modulusBits: 2048)
        let name = self.label ?? DistinguishedNameText.commonName(of: content.subject) ?? "signet request"
        if self.signers.sameKey {
            guard let renewing else { throw ValidationError("--same-key needs --renew.") }
            return MadeKey(key: renewing.key, text: "Private key: the one of the renewed certificate.")
        }
        if let path = self.keyOut {
            let password = try SecretInput.system.readNew(
                PINSource(self.keyPassword), what: "a password for the private key's file")
            let key = try SoftwareRequesterKey.generate(algorithm)
            try FilePaths.create(path, with: key.encryptedPEM(password: password), mode: 0o600)
            return MadeKey(
                key: key, text: "Private key, encrypted with the password: \(path)", path: path)
        }
        if let file = try self.place.newFile() {
            let key = try file.create(algorithm, friendlyName: name)
            return MadeKey(key: key, text: "Private key, encrypted with the password: \(file.path)", path: file.path)
        }
        return try await MadeKey.onToken(context.open(self.place.token), algorithm, label: name)
    }
}

/// The key of a request that is being made, and how it is taken back.
struct MadeKey {
    let key: any RequesterKey
    let text: String
    var path: String?
    var onToken: (any KeyToken, TokenKeyPair)?

    static func onToken(_ token: any KeyToken, _ algorithm: KeyAlgorithm, label: String) async throws -> MadeKey {
        let pair = try await token.generateKeyPair(.subscriber(algorithm, label: label))
        return MadeKey(
            key: try CASigningKey(token: token, keyPair: pair),
            text: "Private key: \(pair.locator.reference) on \(token.identification)", onToken: (token, pair))
    }

    func discard(after cause: any Error) async -> any Error {
        if let (token, pair) = self.onToken { return await token.discarding(pair, after: cause) }
        do {
            if let path { try FilePaths.remove(path) }
            return cause
        } catch {
            return error
        }
    }
}

/// `signet request sign`
struct SignRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Sign somebody else's request, as an enrolment agent or registration authority.",
        discussion: "A PKCS#10 is put into a PKCS#7, a PKCS#7 or CMC message into a CMC message.",
        examples: #"""
            signet request sign bob.req --agent agent.p12 --agent-password prompt --on-behalf-of bob \
                --out signed.req
            """#)

    @OptionGroup var signers: AgentOptions
    @OptionGroup var place: OwnKeyOptions

    @Option(name: .long, help: "Where the signed request is written (PEM).")
    var out: String

    @Argument(help: "The request, PEM, base64 or DER.")
    var request: String

    func run(in context: CommandContext) async throws {
        guard let agent = try await self.signers.signature(in: context, self.place) else {
            throw ValidationError("Name the agent's certificate or PKCS #12 with --agent.")
        }
        let message = try await agent.sign(Output.readDER(self.request, what: self.request))
        try Output.writePEM(message.der, label: message.label, to: self.out)
        Console.say("Request: \(self.out)")
    }
}
