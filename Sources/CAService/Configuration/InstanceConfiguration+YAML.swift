import CertificateAuthority
import KeyProvider
import PKIMessages

extension InstanceConfiguration {
    /// Reads `signet.yaml`.
    ///
    /// - Throws: ``ServiceError`` naming file, field and reason.
    package init(yaml text: String, file: String) throws {
        let root = try YAMLMapping(text: text, file: file)
        _ = try root.integer("version", in: 1...1)
        self.name = try root.text("name")
        self.type = try root.value("type", default: nil, expected: "root or subordinate", AuthorityType.init(rawValue:))
        self.description = try root.optionalText("description")
        self.database = try root.optionalText("database")
        self.tokens = try root.mapping("tokens").mappings().mapValues(TokenConfiguration.init(yaml:))
        let keys = try root.mapping("keys")
        self.signingToken = try keys.text("signing-token")
        self.exchangeToken = try keys.optionalText("exchange-token") ?? self.signingToken
        self.exchangeKeyAlgorithm = try keys.value(
            "exchange-algorithm", default: .rsa(modulusBits: 2048), expected: "rsa-2048, rsa-3072 or rsa-4096"
        ) { KeyAlgorithm($0).flatMap { $0.isRSA ? $0 : nil } }
        self.hashAlgorithm = try keys.optionalText("hash-algorithm").map { text in
            guard let digest = Digest(authorityText: text) else {
                throw keys.invalid("hash-algorithm", "\(Digest.authorityTexts) is expected, not \"\(text)\"")
            }
            return digest
        }
        for (key, name) in [("signing-token", self.signingToken), ("exchange-token", self.exchangeToken)]
        where self.tokens[name] == nil {
            throw keys.invalid(key, "there is no token \"\(name)\" under tokens")
        }
        try keys.finish()
        self.certificates = try CertificatePolicy(yaml: root.optionalMapping("certificates"))
        self.crl = try CRLPolicy(yaml: root.optionalMapping("crl"))
        self.archival = try ArchivalPolicy(yaml: root.optionalMapping("archival"))
        self.exchange = try ExchangePolicy(yaml: root.optionalMapping("exchange"))
        self.web = try WebConfiguration(yaml: root.mapping("web"))
        self.requests = try RequestPolicy(yaml: root.optionalMapping("requests"))
        self.policy = try PolicyConfiguration(yaml: root.optionalMapping("policy"))
        self.lint = try LintConfiguration(yaml: root.optionalMapping("lint"))
        self.events = try EventSettings(yaml: root.optionalMapping("events"))
        self.notifications = try root.optionalMapping("notifications").map(Notifications.init(yaml:))
        try root.finish()
    }
}

extension Digest {
    /// What a CA may sign with: SHA-1 can be forged.
    private static let ofAuthorities: [Digest] = [.sha256, .sha384, .sha512]
    static let authorityTexts = "sha-256, sha-384 or sha-512"

    /// As in `signet.yaml` and on the command line: `sha-384`.
    package init?(authorityText text: String) {
        guard let found = Digest.ofAuthorities.first(where: { $0.authorityText == text }) else { return nil }
        self = found
    }

    var authorityText: String { self.rawValue.lowercased() }
}

extension TokenConfiguration {
    /// Reads a file that describes one token, with the keys that stand under `tokens:` in `signet.yaml`.
    package init(yaml text: String, file: String) throws {
        try self.init(yaml: YAMLMapping(text: text, file: file))
    }

    init(yaml: YAMLMapping) throws {
        self.init(
            module: try yaml.text("module"), moduleArguments: try yaml.optionalText("module-arguments"),
            moduleEnvironment: try yaml.optionalMapping("module-environment")?.texts() ?? [:],
            token: try yaml.text("token"), profile: try yaml.optionalText("profile"),
            profileOverrides: try yaml.optionalMapping("profile-overrides")?.texts() ?? [:],
            pin: try PINSource(yaml.optionalText("pin") ?? "prompt"))
        guard self.token.hasPrefix("pkcs11:") else {
            throw yaml.invalid("token", "a pkcs11: URI is expected; keys are only ever on tokens")
        }
        try yaml.finish()
    }
}

extension InstanceConfiguration.CertificatePolicy {
    init(yaml: YAMLMapping?) throws {
        self.init(
            maximumValidityDays: try yaml?.integer("maximum-validity-days", in: 1...36_525, default: 730) ?? 730,
            userPrincipalNameSuffix: try yaml?.optionalText("upn-suffix"))
        try yaml?.finish()
    }
}

extension InstanceConfiguration.WebConfiguration {
    init(yaml: YAMLMapping) throws {
        self.host = try yaml.optionalText("host") ?? "127.0.0.1"
        self.port = try yaml.integer("port", in: 1...65_535, default: 8443)
        self.publicationPort = try yaml.integer("publication-port", in: 1...65_535, default: 8080)
        self.publicationURL = try yaml.text("publication-url")
        guard self.publicationURL.hasPrefix("http://"), !self.publicationURL.hasSuffix("/") else {
            throw yaml.invalid(
                "publication-url", "an http:// address without a slash at its end is expected (RFC 5280, 8: no https)")
        }
        self.tls = try yaml.optionalMapping("tls").map(InstanceConfiguration.TLSConfiguration.init(yaml:))
        try yaml.finish()
    }
}

extension InstanceConfiguration.TLSConfiguration {
    init(yaml: YAMLMapping) throws {
        self.certificate = try yaml.text("certificate")
        self.clientAuthorities = try yaml.optionalText("client-authorities")
        switch (try yaml.optionalText("key-token"), try yaml.optionalText("key-file")) {
        case (let name?, nil): self.key = .token(name)
        case (nil, let path?): self.key = .file(path)
        default: throw yaml.invalid("key-token", "exactly one of key-token and key-file is expected")
        }
        try yaml.finish()
    }
}
