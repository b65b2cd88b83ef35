import ArgumentParser
import CAService
import Foundation
import PKIMessages

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

    private var access: ServiceAccess {
        ServiceAccess(
            url: self.parent, user: self.parentUser, password: self.parentPassword, tlsTrust: self.tlsTrust)
    }

    func validate() throws {
        try self.access.validate(option: "--parent", dependent: "--parent-user and --tls-trust")
    }

    /// - Returns: `nil` where the request goes into a file.
    func client() throws -> CertsrvClient? { try self.access.client() }

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
            Console.say(installed.backupAdvice(instance: instance))
        }
    }
}
