import ArgumentParser
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages

extension WindowsTool {
    static let certreq = WindowsTool(
        name: "CertReq",
        verbs: [
            WindowsVerb(
                "new", "PolicyFileIn [RequestFileOut]", "Create a new request as directed by an .inf file", 1...2
            ) { try await $0.newRequest() },
            WindowsVerb(
                "submit", "RequestFileIn [CertFileOut [CertChainFileOut [FullResponseFileOut]]]",
                "Submit a request to a CA (-attrib AttributeString, -binary)", 1...4
            ) { try await $0.submit() },
            WindowsVerb(
                "retrieve", "RequestId [CertFileOut [CertChainFileOut [FullResponseFileOut]]]",
                "Retrieve a response to a previous request", 1...4
            ) { try await $0.retrieve() },
            WindowsVerb(
                "accept", "CertChainFileIn|FullResponseFileIn|CertFileIn",
                "Accept and install a response to a previous new request", 1...1
            ) { try await $0.accept() },
            WindowsVerb(
                "sign", "RequestFileIn RequestFileOut", "Sign a request as an enrollment agent (-cert, -p)", 2...2
            ) { try await $0.signRequest() },
        ], defaultVerb: nil,
        elsewhere: [
            "policy": "Use `signet ca cross-certify`.",
            "enroll": "Use `signet request new` and `signet request submit`; renew with `signet request new --renew`.",
        ], failure: { _, code in ["Certificate Request Processor: \(code.text) \(code.toolCode)"] },
        success: { _ in nil })
}

extension WindowsSession {
    fileprivate func newRequest() async throws {
        let file = self.values[0]
        let information = try RequestInformation(FilePaths.read(file), file: file)
        let output = self.values.count > 1 ? self.values[1] : (file as NSString).deletingPathExtension + ".req"
        try self.mustBeWritable(output)
        let content = try RequestContent(
            subject: information.subject, alternativeNames: information.alternativeNames,
            template: information.template, attributes: information.attributes,
            furtherExtensions: information.extensions)
        let archival = information.archivesPrivateKey ? try await self.archival() : nil
        let agent = try await self.agent(for: information.requesterName)
        let key = try await self.makeKey(information, content)
        do {
            let message = try await SubscriberRequest(
                content, key: key.key, form: information.form, agent: agent, archival: archival
            ).make()
            try self.writeMessage(output, message.der, label: "NEW CERTIFICATE REQUEST")
        } catch {
            throw await key.discard(after: error)
        }
        for name in information.ignored { Console.complain("note: \(name) has no effect here") }
        Console.complain(key.text)
        Console.say("CertReq: Request Created")
    }

    /// The exchange certificate of the local CA, checked against the CA's own certificate and list.
    private func archival() async throws -> SubscriberRequest.Archival {
        let instance = try self.instance()
        let authority = try await instance.authority()
        let exchange = try await authority.exchangeCertificate(for: authority.localOperator())
        let chain = try await instance.authorityCertificates().map {
            TextEncoding.pem($0.derBytes, label: "CERTIFICATE")
        }
        let list = try await instance.newestCRL(.base)
        return try SubscriberRequest.Archival(
            exchangeCertificateDER: exchange.certificateDER, authorityPEM: Array(chain.joined().utf8),
            revocationListDER: instance.der(of: list), format: .tokenWrapped)
    }

    private func agent(for requester: String?) async throws -> EnrollmentAgentSignature? {
        guard let requester else { return nil }
        guard let path = self.arguments["cert"] else {
            throw WindowsUsageError(
                "RequesterName asks for somebody else, and no enrollment agent signs",
                advice: "Name the agent's PKCS #12 or certificate with -cert.")
        }
        let credential = try await CredentialSource(
            option: "-cert", path: path, password: self.secretSource(), tokenFile: self.arguments["tokenfile"]
        ).open(in: self.context, orOn: OwnKeyOptions.parse(self.tokenOptions()))
        return EnrollmentAgentSignature(agent: credential, requesterName: requester)
    }

    /// On the token that is named, or in a PKCS #12 of the requester's key directory.
    private func makeKey(_ information: RequestInformation, _ content: RequestContent) async throws -> MadeKey {
        let name =
            information.friendlyName ?? DistinguishedNameText.commonName(of: content.subject) ?? "certreq"
        let token = try self.tokenOptions()
        guard token.isEmpty else {
            guard !information.wantsExportableKey else {
                throw WindowsUsageError(
                    "Exportable = TRUE: a key on a token never leaves it", advice: "Say Exportable = FALSE.")
            }
            return try await MadeKey.onToken(
                self.context.open(TokenOptions.parse(token)), information.keyAlgorithm, label: name)
        }
        let key = try SoftwareRequesterKey.generate(information.keyAlgorithm)
        let path = try self.arguments["pkcs12"] ?? RequesterKeyDirectory.standard().path(for: key.subjectPublicKeyInfo)
        let password = try SecretInput.system.readNew(PINSource(self.secretSource()), what: "a password for \(path)")
        try RequesterPKCS12(path: path, password: password).store(key, friendlyName: name)
        return MadeKey(key: key, text: "Private key, encrypted with the password: \(path)", path: path)
    }

    fileprivate func submit() async throws {
        let outputs = Array(self.values.dropFirst())
        for path in outputs { try self.mustBeWritable(path) }
        let bytes = try FilePaths.read(self.values[0])
        let request = try TextEncoding.decode(bytes, what: self.values[0])
        let attributes = (self.arguments["attrib"] ?? "").replacing("\\n", with: "\n")
        if let client = try self.client() {
            let result = try await client.submit(request, attributes: attributes)
            try ArchivalEcho.check(result, of: request)
            return try await self.report(result, to: outputs) { try await client.chain(ofRequest: result.requestID) }
        }
        let instance = try self.instance()
        let authority = try await instance.authority()
        let result = try await authority.submit(
            EnrollmentSubmission(
                requestBytes: request, attributes: attributes, caller: authority.localOperator(),
                wantsFullResponse: outputs.count > 2))
        try ArchivalEcho.check(result, of: request)
        try await self.report(result, to: outputs) { try await instance.chain(below: result) }
    }

    fileprivate func retrieve() async throws {
        guard let number = Int64(self.values[0]), number > 0 else {
            throw WindowsUsageError("\"\(self.values[0])\" is no request number")
        }
        let outputs = Array(self.values.dropFirst())
        for path in outputs { try self.mustBeWritable(path) }
        if let client = try self.client() {
            let result = try await client.result(ofRequest: number)
            return try await self.report(result, to: outputs) { try await client.chain(ofRequest: number) }
        }
        let instance = try self.instance()
        let authority = try await instance.authority(for: outputs.count > 2 ? .signing : .records)
        let result = try await authority.authority.result(
            ofRequest: number, for: authority.localOperator(),
            response: outputs.count > 2 ? .full : .certificateOnly)
        try await self.report(result, to: outputs) { try await instance.chain(below: result) }
    }

    /// Says what became of the request, and writes what was issued: certificate, chain (the certificate first, the root
    /// last), full response.
    private func report(
        _ result: EnrollmentResult, to outputs: [String], chain: () async throws -> [CertificateFields]
    ) async throws {
        Console.say("RequestId: \(result.requestID)")
        switch result.disposition {
        case .issued, .revoked: Console.say("Certificate retrieved(Issued) \(result.dispositionMessage)")
        case .pending:
            return Console.say("Certificate request is pending: \(result.dispositionMessage) (0)")
        default:
            Console.say("Certificate not issued (Denied) \(result.dispositionMessage)")
            if let failure = result.failure { throw failure }
            throw RefusedRequest(result)
        }
        guard let path = outputs.first, let certificate = result.certificateDER else { return }
        try self.writeMessage(path, certificate, label: "CERTIFICATE")
        guard outputs.count > 1 else { return }
        try self.writeMessage(
            outputs[1], SignedData.degenerate(certificates: await chain().map(\.derBytes)), label: "PKCS7")
        guard outputs.count > 2 else { return }
        guard let response = result.fullResponseDER else {
            return Console.complain("note: the service gave no full response, as is usual for a PKCS#10.")
        }
        try self.writeMessage(outputs[2], response, label: "PKCS7")
    }

    private func writeMessage(_ path: String, _ der: [UInt8], label: String) throws {
        let bytes = self.arguments.has("binary") ? der : Array(TextEncoding.pem(der, label: label).utf8)
        try self.write(path, bytes)
    }

    /// The enrolment service that `-config` names: an address, or a CA on another machine.
    private func client() throws -> CertsrvClient? {
        let text = self.arguments["config"] ?? ""
        let url = text.hasPrefix("https://") || text.hasPrefix("http://") ? text : nil
        guard let url = url ?? self.remoteConfiguration.map({ "https://\($0.host)/certsrv" }) else { return nil }
        let credentials = try self.arguments["username"].map {
            HTTPCredentials(user: $0, password: try self.password("the password of \($0)"))
        }
        return try CertsrvClient(
            url: url, credentials: credentials, trust: HTTPTrust(certificatesPath: self.arguments["tlstrust"]))
    }

    fileprivate func accept() async throws {
        let answer = try CertificateAcceptance.certificates(in: FilePaths.read(self.values[0]))
        let acceptance = CertificateAcceptance(answer: answer, trusted: try await self.trusted())
        let token = try self.tokenOptions()
        guard token.isEmpty else {
            let opened = try await self.context.open(TokenOptions.parse(token))
            let (certificate, pair) = try await acceptance.install(on: opened)
            return Console.say("Installed Certificate: \(certificate.serialHex.lowercased()), key \(pair.label)")
        }
        let path = try self.arguments["pkcs12"] ?? RequesterKeyDirectory.standard().path(forOneOf: answer)
        let certificate = try acceptance.install(
            in: RequesterPKCS12(path: path, password: self.password("the password of \(path)")))
        Console.say("Installed Certificate: \(certificate.serialHex.lowercased()), \(path)")
    }

    private func trusted() async throws -> [CertificateFields] {
        // `try?`: without a file that is named, the local CA's certificates are those that are trusted.
        if let path = try? self.trustedCertificates() { return try CertificateBundle.parse(FilePaths.read(path)) }
        return try await self.instance().authorityCertificates()
    }

    fileprivate func signRequest() async throws {
        guard let agent = self.arguments["cert"] else {
            throw WindowsUsageError(
                "The enrollment agent is not named", advice: "Name its PKCS #12 or certificate with -cert.")
        }
        try self.mustBeWritable(self.values[1])
        try await self.run(
            SignRequest.self,
            self.tokenOptions() + [
                "--agent", agent, "--agent-password", self.secretSource(), "--out", self.values[1], self.values[0],
            ])
    }
}

extension Instance {
    /// An issued certificate, then those above it, the root last.
    fileprivate func chain(below result: EnrollmentResult) async throws -> [CertificateFields] {
        let issued = try result.certificateDER.map { [try CertificateFields(derEncoded: $0)] } ?? []
        return issued + (try await self.authorityCertificates())
    }
}
