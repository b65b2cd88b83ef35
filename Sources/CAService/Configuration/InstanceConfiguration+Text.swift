import CertificateAuthority
import KeyProvider
import PKIMessages

extension InstanceConfiguration {
    /// `signet.yaml` as `signet init` writes it, with a comment at each setting.
    package var yamlText: String {
        """
        # Signet instance. No secret stands here; docs/configuration.md explains every setting.
        version: 1
        name: \(YAMLText.quoted(self.name))
        type: \(self.type.rawValue)
        \(self.description.map { "description: \(YAMLText.quoted($0))" } ?? "# description: who runs this CA")
        \(self.database.map { "database: \(YAMLText.quoted($0))" } ?? "# database: signet.sqlite")

        tokens:
        \(self.tokens.sorted { $0.key < $1.key }.map { $1.yamlText(name: $0) }.joined(separator: "\n"))

        keys:
          signing-token: \(YAMLText.quoted(self.signingToken))
          exchange-token: \(YAMLText.quoted(self.exchangeToken))
          exchange-algorithm: \(self.exchangeKeyAlgorithm)
        \(self.hashAlgorithm.map { "  hash-algorithm: \($0.authorityText)" } ?? "  # hash-algorithm: sha-384")

        certificates:
          # No certificate is valid for longer, whatever its template says.
          maximum-validity-days: \(self.certificates.maximumValidityDays)
        \(self.certificates.userPrincipalNameSuffix.map { "  upn-suffix: \(YAMLText.quoted($0))" } ?? "  # upn-suffix: example.com")

        crl:
          period-days: \(self.crl.periodDays)
        \(self.crl.deltaPeriodHours.map { "  delta-period-hours: \($0)" } ?? "  # delta-period-hours: 24")
          clock-skew-minutes: \(self.crl.clockSkewMinutes)

        \(self.archival.yamlText)

        \(self.exchange.yamlText)

        \(self.policy.yamlText)

        \(self.lint.yamlText)

        \(self.events.yamlText)

        \(self.web.yamlText)
        """
    }
}

extension TokenConfiguration {
    func yamlText(name: String) -> String {
        var lines = ["  \(YAMLText.quoted(name)):", "    module: \(YAMLText.quoted(self.module))"]
        if let arguments = self.moduleArguments { lines.append("    module-arguments: \(YAMLText.quoted(arguments))") }
        lines += YAMLText.mapping("module-environment", self.moduleEnvironment)
        lines.append("    token: \(YAMLText.quoted(self.token))")
        if let profile = self.profile { lines.append("    profile: \(YAMLText.quoted(profile))") }
        lines += YAMLText.mapping("profile-overrides", self.profileOverrides)
        lines.append("    # prompt, file:PATH (mode 0600) or env:NAME")
        lines.append("    pin: \(YAMLText.quoted(self.pin.text))")
        return lines.joined(separator: "\n")
    }
}

extension InstanceConfiguration.WebConfiguration {
    fileprivate var yamlText: String {
        var lines = [
            "web:", "  host: \(YAMLText.quoted(self.host))", "  port: \(self.port)",
            "  publication-port: \(self.publicationPort)",
            "  # Stands in every issued certificate: where its CA certificate and CRL are served.",
            "  publication-url: \(YAMLText.quoted(self.publicationURL))",
        ]
        if let tls = self.tls {
            lines += ["  tls:", "    certificate: \(YAMLText.quoted(tls.certificate))"]
            switch tls.key {
            case .token(let name): lines.append("    key-token: \(YAMLText.quoted(name))")
            case .file(let path): lines.append("    key-file: \(YAMLText.quoted(path))")
            }
            if let path = tls.clientAuthorities { lines.append("    client-authorities: \(YAMLText.quoted(path))") }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

enum YAMLText {
    /// The lines of a mapping of texts inside a token; none when it is empty.
    static func mapping(_ name: String, _ entries: [String: String]) -> [String] {
        guard !entries.isEmpty else { return [] }
        return ["    \(name):"]
            + entries.sorted { $0.key < $1.key }.map { "      \(YAMLText.quoted($0)): \(YAMLText.quoted($1))" }
    }

    /// A double-quoted YAML scalar (YAML 1.2, section 7.3.1).
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
