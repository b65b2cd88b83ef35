import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import PKIMessages

/// `signet request new|sign|submit|retrieve|accept|abandon|list|show|export|approve|deny|resubmit|set-attributes|set-extension`
struct RequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "Certificate requests: make, submit, list, decide, retrieve.",
        subcommands: [
            NewRequest.self, SignRequest.self, SubmitRequest.self, RetrieveRequest.self, AcceptCertificate.self,
            AbandonRequest.self, ListRequests.self, ShowRequest.self, ExportRequest.self, ApproveRequest.self,
            DenyRequest.self, ResubmitRequest.self, SetAttributes.self, SetExtension.self,
        ])
}

/// `signet request submit`
struct SubmitRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Submit a request to a local instance, or to an enrolment service.",
        examples: #"""
            signet request submit www.req --template WebServer --out www.crt
            signet request submit alice.req --url https://ca.example.com/certsrv --user alice \
                --password prompt --out alice.crt
            """#)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var service: ServiceOptions

    @Option(name: .long, help: "The certificate template, where the request does not name one.")
    var template: String?

    @Option(name: .long, help: "A further Name:Value attribute. May be repeated.")
    var attribute: [String] = []

    @Option(name: .long, help: "Where to write the certificate (PEM).")
    var out: String?

    @Option(name: .long, help: "Where to write the full PKI response (DER, RFC 5272).")
    var responseOut: String?

    @Argument(help: "The request, PEM, base64 or DER.")
    var request: String

    func run(in context: CommandContext) async throws {
        for path in [self.out, self.responseOut].compactMap({ $0 }) where FilePaths.exists(path) {
            throw ServiceError.exists(path, "The file")
        }
        let attributes = ((self.template.map { ["CertificateTemplate:\($0)"] } ?? []) + self.attribute)
            .joined(separator: "\n")
        let result: EnrollmentResult
        if let client = try self.service.client() {
            let request = try Output.readDER(self.request, what: self.request)
            result = try await client.submit(request, attributes: attributes)
            try ArchivalEcho.check(result, of: request)
        } else {
            let authority = try await context.open(self.options).authority()
            result = try await authority.submit(
                EnrollmentSubmission(
                    requestBytes: FilePaths.read(self.request), attributes: attributes,
                    caller: authority.localOperator(), wantsFullResponse: self.responseOut != nil))
            await authority.vouch(forKeyOf: result)
        }
        try RequestReport(result).print(certificatePath: self.out)
        guard let path = self.responseOut else { return }
        guard let response = result.fullResponseDER else {
            return Console.complain("note: the service gave no full response, as is usual for a PKCS#10.")
        }
        try FilePaths.create(path, with: response, mode: 0o644)
        Console.say("Response: \(path)")
    }
}

/// What became of a request, told on the terminal; a failure ends with exit code 1 after its report.
struct RequestReport {
    let result: EnrollmentResult

    init(_ result: EnrollmentResult) {
        self.result = result
    }

    func print(certificatePath: String?) throws {
        Console.say("RequestId: \(self.result.requestID)")
        switch self.result.disposition {
        case .issued, .revoked:
            Console.say("Certificate retrieved(Issued) \(self.result.dispositionMessage)")
            if let path = certificatePath, let certificate = self.result.certificateDER {
                try Output.writePEM(certificate, label: "CERTIFICATE", to: path)
                Console.say("Certificate: \(path)")
            }
        case .pending:
            Console.say("Certificate request is pending: \(self.result.dispositionMessage) (0)")
        default:
            Console.complain("Certificate not issued: \(self.result.dispositionMessage)")
            if let failure = self.result.failure { throw failure }
            Console.complain("code: \(self.result.statusCode): \(self.result.statusCode.text)")
            throw ExitCode.failure
        }
    }
}

/// `signet request approve`
struct ApproveRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Issue a pending request.",
        examples: "signet request approve 17")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The request's number.")
    var request: Int64

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority()
        try RequestReport(await authority.approve(request: self.request, by: authority.localOperator())).print(
            certificatePath: nil)
    }
}

/// `signet request deny`
struct DenyRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "deny", abstract: "Deny a pending request.",
        examples: "signet request deny 17")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The request's number.")
    var request: Int64

    func run(in context: CommandContext) async throws {
        let authority = try await context.open(self.options).authority(for: .records)
        let result = try await authority.deny(request: self.request, by: authority.localOperator())
        Console.say("Request \(result.requestID): \(result.dispositionMessage)")
    }
}

/// `signet request retrieve`
struct RetrieveRequest: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "retrieve", abstract: "Ask what became of a request, and fetch its certificate.",
        examples: #"""
            signet request retrieve 17 --url https://ca.example.com/certsrv --user alice \
                --password prompt --out alice.crt
            """#)

    @OptionGroup var options: InstanceOptions
    @OptionGroup var service: ServiceOptions

    @Option(name: .long, help: "Where to write the certificate (PEM).")
    var out: String?

    @Argument(help: "The request's number.")
    var request: Int64

    func run(in context: CommandContext) async throws {
        if let client = try self.service.client() {
            let result = try await client.result(ofRequest: self.request)
            return try RequestReport(result).print(certificatePath: self.out)
        }
        let authority = try await context.open(self.options).authority(for: .records)
        let result = try await authority.result(ofRequest: self.request, for: authority.localOperator())
        try RequestReport(result).print(certificatePath: self.out)
    }
}
