import CertificateAuthority
public import KeyProvider

/// A certification authority inside another program: for tests of PKI code, and for measuring.
///
/// The same instance, path and checks as `signet` and `signetd` have; the caller is taken at its word about who asks.
public struct EmbeddedAuthority: Sendable {
    let authority: Authority

    /// Makes a root CA in a new directory, with its key generated on a token.
    ///
    /// - Parameters:
    ///   - directory: must not exist.
    ///   - module: path of the PKCS #11 module.
    ///   - token: a `pkcs11:` URI that fits one token.
    ///   - profile: name of the device profile, or `nil` to match one.
    ///   - pinFile: file of mode 0600 with the PIN in its first line.
    ///   - userPrincipalNameSuffix: of the principal names of users; templates that name users need one.
    /// - Throws: a `DiagnosableError`; nothing is left behind then.
    public static func makeRoot(
        directory: String, name: String, module: String, token: String, profile: String?, pinFile: String,
        keyAlgorithm: KeyAlgorithm, userPrincipalNameSuffix: String? = nil
    ) async throws -> EmbeddedAuthority {
        let configuration = InstanceConfiguration(
            name: name, type: .root,
            token: TokenConfiguration(module: module, token: token, profile: profile, pin: .file(pinFile)),
            web: .init(
                host: "127.0.0.1", port: 8443, publicationPort: 8080, publicationURL: "http://localhost:8080"),
            userPrincipalNameSuffix: userPrincipalNameSuffix)
        let creation = try InstanceCreation(
            plan: .init(
                directory: directory, configuration: configuration, subject: "CN=\(name)", keyAlgorithm: keyAlgorithm),
            secrets: .system)
        _ = try await creation.makeRoot(validity: .init(count: 10, unit: .years))
        return try await EmbeddedAuthority(directory: directory)
    }

    /// Opens an instance.
    public init(directory: String) async throws {
        self.authority = try await Instance.open(directory, secrets: .system).authority()
    }

    /// Issues a certificate: parsed, decided, intent stored, signed, verified, outcome stored.
    ///
    /// - Parameters:
    ///   - request: PKCS #10 in PEM or DER.
    ///   - template: the template's name.
    ///   - requester: who asks, as it stands in the database and the audit trail.
    /// - Returns: the DER certificate.
    /// - Throws: a `DiagnosableError` with the code of the denial or failure; a pending request is
    ///   `CERTSRV_E_PROPERTY_EMPTY`.
    public func issue(_ request: [UInt8], template: String, requester: String) async throws -> [UInt8] {
        let result = try await self.authority.submit(
            EnrollmentSubmission(
                requestBytes: request, attributes: "CertificateTemplate:\(template)",
                caller: Principal(name: requester, roles: [.enrollee])))
        guard let certificate = result.certificateDER else {
            throw result.failure ?? ServiceError.notIssued(result.requestID)
        }
        return certificate
    }

    /// How many certificates a common name, requester, serial number or hash names.
    ///
    /// - Throws: a `DiagnosableError` when the database fails.
    public func count(matching term: String) async throws -> Int {
        try await self.authority.instance.storage.read {
            try $0.certificates(matching: term, archivedOnly: false).count
        }
    }

    /// Signs and stores a new base CRL of the newest key, and publishes nothing: for the time that it takes.
    ///
    /// - Returns: the list's number (RFC 5280, section 5.2.3).
    public func makeCRL() async throws -> UInt64 {
        try await self.authority.authority.publishCRL(by: .service).number
    }

    /// Closes the tokens. To be called before the program ends; nothing works afterwards.
    public func close() async {
        await self.authority.instance.tokens.close()
    }

    /// The reference of the CA's signing key.
    public var signingKey: KeyLocator? {
        get async throws {
            try await self.authority.instance.storage.read { try $0.caCertificates() }
                .first { $0.use == .own }?.locator
        }
    }
}
