import ArgumentParser
import CAService
import Foundation
import PKIMessages
import SecretMemory

/// The parent CA's enrolment service.
struct ParentOptions: ParsableArguments {
    @Option(name: .long, help: "The parent's enrolment service, https://HOST[:PORT]/certsrv, in place of a file.")
    var parent: String?

    @Option(name: .long, help: "User name at the parent.")
    var parentUser: String?

    @Option(name: .long, help: "Where that user's password comes from: prompt, file:PATH or env:NAME.")
    var parentPassword = "prompt"

    @Option(name: .long, help: "PEM file of the roots trusted for the parent's TLS; the system's when left out.")
    var tlsTrust: String?

    func validate() throws {
        guard self.parent != nil || (self.parentUser == nil && self.tlsTrust == nil) else {
            throw ValidationError("--parent-user and --tls-trust need --parent.")
        }
    }

    /// - Returns: `nil` where the request goes into a file.
    func client() throws -> CertsrvClient? {
        guard let url = self.parent else { return nil }
        let credentials = try self.parentUser.map { user in
            HTTPCredentials(
                user: user,
                password: try SecretInput.system.read(
                    PINSource(self.parentPassword), what: "the password of \(user)"))
        }
        return try CertsrvClient(
            url: url, credentials: credentials, trust: HTTPTrust(certificatesPath: self.tlsTrust))
    }

    /// Tells what became of the request.
    func report(_ outcome: ParentEnrollment.Outcome, instance: String) {
        switch outcome {
        case .pending(let number):
            Console.say("Request \(number) is pending at the parent.")
            Console.say(
                "When it is issued: signet ca resume --instance \(instance) --parent \(self.parent ?? "URL") ...")
        case .installed(let installed, let root):
            Console.say("Installed. Certificate SHA-256: \(installed.thumbprintText)")
            Console.say("Published: \(installed.publishedPath)")
            let thumbprint = root.sha256Thumbprint.map { String(format: "%02X", $0) }.joined(separator: ":")
            Console.say("Root, to be compared with its owner: \(root.subject), SHA-256 \(thumbprint)")
        }
    }
}
