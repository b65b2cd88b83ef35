import ArgumentParser
import CAService
import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages

/// `signet ca cross-certify`
struct CrossCertify: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "cross-certify",
        abstract: "Certify another CA within limits: path length, names, policies (qualified subordination).",
        discussion: """
            The other CA is given by its certificate, or by its PKCS#10 request. The limits stand in a file as for \
            CAPolicy.inf, or the same in YAML: docs/hierarchy.md.
            """,
        examples: "signet ca cross-certify partner.crt --constraints partner.inf --out cross.crt")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "The limits: a file in the form of CAPolicy.inf, or YAML.")
    var constraints: String

    @Option(name: .long, help: "How long the certificate is valid; as long as the template CrossCA says when left out.")
    var validityDays: Int?

    @Option(name: .long, help: "Where to write the certificate (PEM).")
    var out: String

    @Argument(help: "The other CA's certificate or request, PEM or DER.")
    var file: String

    func validate() throws {
        guard self.validityDays.map({ (1...36_525).contains($0) }) ?? true else {
            throw ValidationError("--validity-days takes 1 to 36525.")
        }
    }

    func run(in context: CommandContext) async throws {
        let limits = try AuthorityPolicyFile(path: self.constraints).policy.settings
        let bytes = try Output.readDER(self.file, what: self.file)
        let instance = try context.open(self.options)
        let other = try CrossCertificationSubject(derEncoded: bytes, at: instance.surroundings.now())
        let authority = try await instance.authority().authority
        let result = try await authority.crossCertify(
            other, limits: limits, validity: self.validityDays.map { Double($0) * 86_400 }, by: instance.localOperator()
        )
        try RequestReport(result).print(certificatePath: self.out)
    }
}

/// `signet ca keys`
struct ListAuthorityKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "List the keys of a token that a CA can use, each proven by a signature.",
        examples: "signet ca keys --token-file hsm.yaml")

    @OptionGroup var token: TokenOptions

    func run(in context: CommandContext) async throws {
        let keys = try await AuthorityKeys(on: context.open(self.token), surroundings: .system)
        for key in keys.usable {
            Console.say("\(key.pair.locator.reference.uri)")
            Console.say("  Label: \(key.pair.label)")
            Console.say("  Algorithm: \(key.pair.algorithm)")
            for certificate in key.certificates {
                Console.say("  Certificate: \(certificate.subject), valid until \(Output.time(certificate.notAfter))")
            }
        }
        if keys.usable.isEmpty { Console.say("The token has no key that a CA can use.") }
        for (pair, reason) in keys.unusable {
            Console.complain("not offered: \(pair.label) (\(pair.algorithm)): \(reason)")
        }
    }
}
