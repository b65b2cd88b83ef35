package import CertificateAuthority
import KeyProvider
import PKIMessages
import X509

extension Instance {
    /// Issues the enrolment service's TLS certificate for a fresh key on a token, and names both in `signet.yaml`.
    ///
    /// - Returns: the path of the PEM chain.
    /// - Throws: what issuing throws; the key is removed again then.
    package func enrollWebServer(dnsNames: [String], keyToken: String, by who: Principal) async throws -> String {
        try who.mustBeAllowed(.manageWebServer, to: "issue the enrolment service's certificate")
        guard let first = dnsNames.first else {
            throw ServiceError.invalidName("The service's name", "at least one DNS name is needed")
        }
        let authority = try await self.authority()
        let token = try await self.token(named: keyToken)
        let pair = try await token.generateKeyPair(
            KeyPairSpecification(
                algorithm: .p256, role: .tlsServer, label: "TLS \(first)", certificateBytes: 0))
        do {
            let names = try ExtensionEncoding.subjectAlternativeName(dnsNames.map { .dnsName($0) })
            let request = try await CAInstallation.request(
                name: DistinguishedName { CommonName(first) },
                signingKey: CASigningKey(token: token, keyPair: pair), extensions: [names])
            let result = try await authority.submit(
                EnrollmentSubmission(
                    requestBytes: request, attributes: "CertificateTemplate:\(BuiltInTemplates.webServer.name)",
                    caller: who, wantsFullResponse: false))
            guard let certificate = result.certificateDER else {
                throw result.failure ?? ServiceError.notIssued(result.requestID)
            }
            return try await self.configureTLS(certificate, keyToken: keyToken)
        } catch {
            throw await token.discarding(pair, after: error)
        }
    }

    private func configureTLS(_ certificate: [UInt8], keyToken: String) async throws -> String {
        let chain = try await self.authorityCertificates().map(\.derBytes)
        let pem = ([certificate] + chain.dropLast()).map { TextEncoding.pem($0, label: "CERTIFICATE") }.joined()
        let path = self.directory + "/" + WebServerSettings.certificateFile
        try FilePaths.replace(path, with: Array(pem.utf8), mode: 0o644)
        try WebServerSettings.name(keyToken: keyToken, in: self.layout.configurationPath)
        return path
    }
}

/// Puts the TLS setting into `signet.yaml` without touching the operator's comments.
enum WebServerSettings {
    static let certificateFile = "web.crt"

    /// - Throws: ``ServiceError`` when the file names other TLS settings, or has no section `web:` of its own line.
    static func name(keyToken: String, in path: String) throws {
        let text = String(decoding: try FilePaths.read(path), as: UTF8.self)
        let wanted = InstanceConfiguration.TLSConfiguration(
            certificate: WebServerSettings.certificateFile, key: .token(keyToken))
        let present = try InstanceConfiguration(yaml: text, file: path)
        if present.web.tls == wanted { return }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard present.web.tls == nil, let section = lines.firstIndex(of: "web:") else {
            throw ServiceError.invalid(
                path, "web.tls",
                "it is set already; change it yourself to certificate \(wanted.certificate) and "
                    + "key-token \(keyToken)")
        }
        lines.insert(
            contentsOf: [
                "  tls:", "    certificate: \(YAMLText.quoted(wanted.certificate))",
                "    key-token: \(YAMLText.quoted(keyToken))",
            ], at: section + 1)
        let changed = lines.joined(separator: "\n")
        guard try InstanceConfiguration(yaml: changed, file: path).web.tls == wanted else {
            throw ServiceError.invalid(path, "web.tls", "it could not be added; add it yourself")
        }
        try FilePaths.replace(path, with: Array(changed.utf8), mode: 0o600)
    }
}
