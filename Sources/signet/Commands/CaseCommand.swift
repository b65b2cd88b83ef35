import ArgumentParser
import CAService
import CertificateAuthority
import Foundation
import PKIMessages

/// `signet certificate replace`
struct ReplaceCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Revoke a certificate whose key was lost and ask for its successor, as one case.",
        examples: #"""
            signet certificate replace 611e23c200030000000e --new --key-out new.key \
                --key-password prompt --out new.crt
            signet certificate replace 611e23c200030000000e --request new.req --reason keyCompromise \
                --out new.crt
            """#)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var serial: SerialNumberArgument

    @Option(name: .long, help: "The successor's request: same subject and names, another key.")
    var request: String?

    @Flag(name: .long, help: "Make key and request here, of the old certificate's kind.")
    var new = false

    @Option(name: .long, help: "Where the new key is written, as encrypted PKCS#8 (PEM, mode 0600; with --new).")
    var keyOut: String?

    @Option(name: .long, help: "Where the password of the key's file comes from: prompt, file:PATH or env:NAME.")
    var keyPassword = "prompt"

    @Option(name: .long, help: "Why the old one is revoked.")
    var reason = ReasonArgument(.superseded)

    @Option(name: .long, help: "For how many hours the successor can be asked for.")
    var windowHours = 72

    @Option(name: .long, help: "Where the new certificate is written (PEM), when it is issued at once.")
    var out: String?

    func run(in context: CommandContext) async throws {
        guard (self.request != nil) != self.new, self.new == (self.keyOut != nil) else {
            throw ValidationError("Name --request FILE, or --new with --key-out FILE.")
        }
        let serial = try self.serial.canonical()
        let instance = try context.open(self.options)
        let who = try await instance.localOperator()
        let authority = try await instance.authority()
        let order = ReplacementOrder(
            serialNumber: serial, reason: self.reason.reason,
            requestBytes: try await self.requestBytes(serial, instance, who),
            window: TimeInterval(self.windowHours) * 3600)
        let status = try await authority.authority.replace(order, by: who)
        Console.say("Case \(status.replacement.caseID): revoked \(serial). Publish it with: signet crl publish")
        try await status.report(instance, out: self.out)
    }

    private func requestBytes(_ serial: String, _ instance: Instance, _ who: Principal) async throws -> [UInt8] {
        if let path = self.request { return try FilePaths.read(path) }
        guard let keyOut = self.keyOut else { throw ValidationError("--new needs --key-out.") }
        let made = try await instance.successorRequest(ofCertificate: serial, for: who)
        let password = try SecretInput.system.readNew(
            PINSource(self.keyPassword), what: "a password for the private key's file")
        try FilePaths.create(keyOut, with: made.encryptedKeyPEM(password: password), mode: 0o600)
        Console.say("Private key, encrypted with the password: \(keyOut)")
        return made.requestDER
    }
}

extension ReplacementStatus {
    fileprivate func report(_ instance: Instance, out: String?) async throws {
        let requestID = self.replacement.newRequestID
        let request = requestID.map { " (request \($0))" } ?? ""
        switch self.state {
        case .replaced:
            Console.say("Successor\(request): \(self.newSerialNumber ?? "")")
            if let out, let requestID {
                let certificate = try await instance.issuedCertificate(
                    ofRequest: requestID, for: instance.localOperator())
                try Output.writePEM(certificate.derBytes, label: "CERTIFICATE", to: out)
            }
        case .pending: Console.say("Successor\(request): pending. Issue it with: signet request approve")
        case .revoked: Console.say("Successor: not asked for yet. Go on with: signet case resume")
        case .refused:
            Console.complain(
                "error: the successor\(request) was refused: \(self.dispositionMessage ?? "")\n"
                    + "  hint: Go on with: signet case resume \(self.replacement.caseID) --request FILE")
            throw ExitCode.failure
        }
    }
}

/// `signet case list|show|resume`
struct CaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "case", abstract: "Replacements of certificates whose keys were lost.",
        subcommands: [ListCases.self, ShowCase.self, ResumeCase.self])
}

/// `signet case list`
struct ListCases: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the cases, newest first.",
        examples: "signet case list")

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "At most that many.")
    var limit = 20

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let cases = try await instance.replacements(limit: self.limit, for: instance.localOperator())
        Console.table(
            ["Case", "State", "Opened", "By", "Until", "Certificate", "Request", "Successor", "Subject"],
            cases.map { status in
                let replacement = status.replacement
                return [
                    "\(replacement.caseID)", status.state.rawValue, Output.time(replacement.openedWhen),
                    replacement.openedBy, Output.time(replacement.deadline), replacement.serialNumber,
                    replacement.newRequestID.map { "\($0)" } ?? "", status.newSerialNumber ?? "",
                    replacement.subject,
                ]
            })
    }
}

/// `signet case show`
struct ShowCase: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one case.",
        examples: "signet case show 3")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The case's number.")
    var number: Int64

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let status = try await instance.replacement(self.number, for: instance.localOperator())
        let replacement = status.replacement
        let fields: [(String, String?)] = [
            ("Case", "\(replacement.caseID)"), ("State", status.state.rawValue), ("Subject", replacement.subject),
            ("Requester", replacement.requesterName), ("Template", replacement.templateName),
            ("Revoked certificate", replacement.serialNumber),
            ("Reason", CRLReason(rawValue: replacement.reason)?.name),
            ("Opened", "\(Output.time(replacement.openedWhen)) by \(replacement.openedBy)"),
            ("Until", Output.time(replacement.deadline)), ("Request", replacement.newRequestID.map { "\($0)" }),
            ("Status", status.dispositionMessage), ("Successor", status.newSerialNumber),
        ]
        for (name, value) in fields { if let value { Console.say("\(name): \(value)") } }
    }
}

/// `signet case resume`
struct ResumeCase: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Ask for the successor of a case again, or for the first time after a crash.",
        examples: "signet case resume 3 --out new.crt")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The case's number.")
    var number: Int64

    @Option(name: .long, help: "Another request than the one of the case.")
    var request: String?

    @Option(name: .long, help: "Where the new certificate is written (PEM), when it is issued at once.")
    var out: String?

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let authority = try await instance.authority()
        let status = try await authority.authority.resume(
            case: self.number, requestBytes: try self.request.map { try FilePaths.read($0) },
            by: authority.localOperator())
        Console.say("Case \(status.replacement.caseID): \(status.state.rawValue)")
        try await status.report(instance, out: self.out)
    }
}
