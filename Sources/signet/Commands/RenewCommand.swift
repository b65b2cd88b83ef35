import ArgumentParser
import CAService
import CertificateAuthority
import KeyProvider

extension AuthorityRenewal.RequestForm: ExpressibleByArgument {}

/// `signet ca renew`
struct RenewCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Renew the CA certificate, with the same key or a new one.",
        discussion: """
            A root signs its next certificate itself. A subordinate CA writes a request, which the parent answers; \
            install the answer with `signet ca install`. A running signetd goes on with it.
            """,
        examples: """
            signet ca renew --new-key --validity "20 years" --instance /srv/root
            signet ca renew --form pkcs7 --request renewal.req --instance /srv/issuing
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "Generate a new key on the signing token.")
    var newKey = false

    @Option(name: .long, help: "Algorithm of the new key; that of the key in place when left out.")
    var keyAlgorithm: KeyAlgorithmArgument?

    @Option(name: .long, help: "Subordinate CA: where the request for the parent is written (PEM).")
    var request: String?

    @Option(
        name: .long,
        help: "Subordinate CA: pkcs10, or pkcs7, which the key of the certificate in place signs as well.")
    var form: AuthorityRenewal.RequestForm = .pkcs10

    @OptionGroup var parent: ParentOptions

    @Option(
        name: .long,
        help: "Root: how long the certificate is valid, such as '20 years'; as long as the one before else.")
    var validity: AuthorityPolicy.Period?

    @Option(name: .long, help: "CAPolicy.inf, or the same in YAML; the copy in the instance when left out.")
    var policy: String?

    @Flag(name: .long, help: "Give up a renewal that the parent never answered, and remove its new key.")
    var abandon = false

    func validate() throws {
        guard self.newKey || self.keyAlgorithm == nil else {
            throw ValidationError("--key-algorithm needs --new-key.")
        }
        guard
            !self.abandon
                || (!self.newKey && self.request == nil && self.parent.parent == nil && self.validity == nil)
        else {
            throw ValidationError("--abandon takes no other option than --instance.")
        }
    }

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        if self.abandon {
            try await AuthorityRenewal.abandon(in: instance, by: instance.localOperator())
            return Console.say("The renewal is given up.")
        }
        let isRoot = instance.configuration.type == .root
        let client = try self.parent.client()
        guard !isRoot || self.form == .pkcs10 else { throw ValidationError("--form is for subordinate CAs.") }
        guard isRoot == (self.request == nil && client == nil) else {
            throw ValidationError(
                isRoot
                    ? "A root signs itself; --request and --parent are for subordinate CAs."
                    : "Name the file with --request, or the parent with --parent.")
        }
        let policy = try self.policy.map { try AuthorityPolicyFile(path: $0).policy } ?? instance.authorityPolicy()
        let renewal = try await AuthorityRenewal(
            instance, newKeyAlgorithm: self.newKeyAlgorithm(instance, policy), settings: policy?.settings,
            by: instance.localOperator())
        if !isRoot {
            let request = try await renewal.requestRenewal(form: self.form) {
                [path = self.request, form = self.form] request in
                if let path { try Output.writePEM(request, label: form.label, to: path) }
            }
            if let client {
                let outcome = try await ParentEnrollment(instance, parent: client)
                    .submit(request, by: instance.localOperator())
                return self.parent.report(outcome, instance: self.options.instance)
            }
            Console.say("Request (\(request.count) bytes): \(self.request ?? "")")
            Console.say(
                "Next: have it signed by the parent, then: signet ca install --instance \(self.options.instance) ...")
        } else {
            let validity = self.validity ?? policy?.renewalValidity
            let installed = try await renewal.renewRoot(
                validity: validity?.seconds(after: instance.surroundings.now()))
            Console.say("Renewed. Certificate SHA-256: \(installed.thumbprintText)")
            Console.say("Published: \(installed.publishedPath)")
            do { try await LinkKeys.link(instance) } catch {
                Console.complain(
                    "The CA is renewed, and a link between its keys is missing. When the cause is gone: "
                        + "signet ca link --instance \(self.options.instance)")
                throw error
            }
            Console.say("Next, unless signetd runs: signet crl publish --instance \(self.options.instance)")
            Console.say(installed.backupAdvice(instance: self.options.instance))
        }
    }

    private func newKeyAlgorithm(_ instance: Instance, _ policy: AuthorityPolicy?) async throws -> KeyAlgorithm? {
        guard self.newKey else { return nil }
        if let algorithm = self.keyAlgorithm?.algorithm { return algorithm }
        let present = try await instance.authorityKeyAlgorithm()
        return try policy?.renewalAlgorithm(after: present) ?? present
    }
}
