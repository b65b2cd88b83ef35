import ArgumentParser
import CAService
import CertificateAuthority
import KeyProvider
import PKIMessages
import SecretMemory

/// An enrolment service at some address, in place of a local instance.
struct ServiceOptions: ParsableArguments {
    @Option(name: .long, help: "An enrolment service, https://HOST[:PORT]/certsrv, in place of a local instance.")
    var url: String?

    @Option(name: .long, help: "User name for the service.")
    var user: String?

    @Option(name: .long, help: "Where the user's password comes from: prompt, file:PATH or env:NAME.")
    var password = "prompt"

    @Option(name: .long, help: "PEM file of the roots trusted for the service's TLS; the system's when left out.")
    var tlsTrust: String?

    private var access: ServiceAccess {
        ServiceAccess(url: self.url, user: self.user, password: self.password, tlsTrust: self.tlsTrust)
    }

    func validate() throws {
        try self.access.validate(option: "--url", dependent: "--user and --tls-trust")
    }

    /// - Returns: `nil` where a local instance is meant.
    func client() throws -> CertsrvClient? { try self.access.client() }
}

/// Where a requester's own key is: on a token, or in a PKCS #12.
struct OwnKeyOptions: ParsableArguments {
    @Option(name: .long, help: "The PKCS #12 file with the key, in place of a token.")
    var pkcs12: String?

    @Option(name: .long, help: "Where the password of the PKCS #12 comes from: prompt, file:PATH or env:NAME.")
    var pkcs12Password = "prompt"

    @OptionGroup var token: TokenOptions

    var namesToken: Bool { self.token.tokenFile != nil || self.token.module != nil }

    /// An existing file, whose password is asked for once.
    func file() throws -> RequesterPKCS12? {
        try self.pkcs12.map { path in
            RequesterPKCS12(
                path: path,
                password: try SecretInput.system.read(
                    PINSource(self.pkcs12Password), what: "the password of \(path)"))
        }
    }

    /// A file that is to be made, whose password is asked for twice.
    func newFile() throws -> RequesterPKCS12? {
        guard let path = self.pkcs12 else { return nil }
        guard !FilePaths.exists(path) else { throw ServiceError.exists(path, "The file") }
        return RequesterPKCS12(
            path: path,
            password: try SecretInput.system.readNew(
                PINSource(self.pkcs12Password), what: "a password for \(path)"))
    }
}

/// A certificate with a key to sign with: a PKCS #12, or a certificate whose key is on a token.
struct CredentialSource {
    /// The option's name, for errors.
    let option: String
    let path: String
    let password: String
    /// Describes the token; the command's own when `nil`.
    let tokenFile: String?

    func open(in context: CommandContext, orOn own: OwnKeyOptions) async throws -> RequesterCredential {
        let bytes = try FilePaths.read(self.path)
        // `try?`: what is no certificate is a PKCS #12, or named by its error.
        guard let certificate = (try? CertificateBundle.parse(bytes))?.first else {
            return try RequesterPKCS12(
                path: self.path,
                password: SecretInput.system.read(PINSource(self.password), what: "the password of \(self.path)")
            ).credential()
        }
        var token = own.token
        if let file = self.tokenFile {
            token = TokenOptions()
            token.tokenFile = file
        } else if !own.namesToken {
            throw ValidationError("\(self.option) is a certificate: name the token of its key.")
        }
        return try await RequesterCredential(certificate, on: context.open(token))
    }
}
