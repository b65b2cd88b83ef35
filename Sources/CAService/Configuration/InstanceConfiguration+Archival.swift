package import CertificateAuthority

extension InstanceConfiguration {
    /// How private keys are archived, and to whom.
    package struct ArchivalPolicy: Sendable, Equatable {
        package enum Format: String, Sendable, Codable {
            /// `token-wrapped` where the exchange token can, `cms-aes` otherwise.
            case automatic
            case tokenWrapped = "token-wrapped"
            case cmsAES = "cms-aes"
            case microsoft2003 = "microsoft-2003"
        }

        package var format: Format
        /// To how many key recovery agents each key is archived.
        package var recoveryAgents: Int
        /// Whether plaintext may be in the host's (locked) memory where the token cannot import a private key.
        package var hostPlaintextAllowed: Bool
        /// A directory with certificates and CRLs of authorities that may have certified agents beside this CA; below the
        /// instance when it is relative.
        package var trustedAgents: String?
        /// How many of a key's agents have to open it together. `nil`: any one of them opens it alone.
        package var threshold: Int?
        /// How many other certificate managers must approve before one takes an archived key.
        package var releaseApprovals: Int
        /// For how long an approval counts.
        package var releaseValidity: TemplatePeriod

        /// Whether keys may be imported with certificates of other CAs (`KRAF_ENABLEFOREIGN`).
        package var allowsForeignCertificates: Bool
        /// How many days after a proof of recoverability the next one is due.
        package var drillDays: Int

        package init(
            format: Format = .automatic, recoveryAgents: Int = 1, hostPlaintextAllowed: Bool = true,
            trustedAgents: String? = nil, threshold: Int? = nil, releaseApprovals: Int = 0,
            releaseValidity: TemplatePeriod = .days(1), allowsForeignCertificates: Bool = false, drillDays: Int = 90
        ) {
            self.allowsForeignCertificates = allowsForeignCertificates
            self.drillDays = drillDays
            self.format = format
            self.recoveryAgents = recoveryAgents
            self.hostPlaintextAllowed = hostPlaintextAllowed
            self.trustedAgents = trustedAgents
            self.threshold = threshold
            self.releaseApprovals = releaseApprovals
            self.releaseValidity = releaseValidity
        }

        init(yaml: YAMLMapping?) throws {
            let threshold = try yaml?.optionalMapping("threshold")
            let release = try yaml?.optionalMapping("release")
            self.init(
                format: try yaml?.value(
                    "format", default: .automatic, expected: "automatic, token-wrapped, cms-aes or microsoft-2003",
                    Format.init(rawValue:)) ?? .automatic,
                recoveryAgents: try yaml?.integer("recovery-agents", in: 1...100, default: 1) ?? 1,
                hostPlaintextAllowed: try yaml?.boolean("host-plaintext-allowed", default: true) ?? true,
                trustedAgents: try yaml?.optionalText("trusted-agents"),
                threshold: try threshold?.integer("required", in: 2...100),
                releaseApprovals: try release?.integer("approvals", in: 0...9, default: 0) ?? 0,
                releaseValidity: try release?.value(
                    "validity", default: .days(1), expected: "a period such as \"1 days\"", { TemplatePeriod($0) })
                    ?? .days(1),
                allowsForeignCertificates: try yaml?.boolean("foreign-certificates", default: false) ?? false,
                drillDays: try yaml?.integer("drill-days", in: 1...3650, default: 90) ?? 90)
            if let required = self.threshold, let threshold {
                guard required <= self.recoveryAgents else {
                    throw threshold.invalid("required", "at most archival.recovery-agents is expected")
                }
                guard self.format != .microsoft2003 else {
                    throw threshold.invalid("required", "the format microsoft-2003 knows one agent alone")
                }
            }
            try threshold?.finish()
            try release?.finish()
            try yaml?.finish()
        }

        var yamlText: String {
            """
            archival:
              # automatic, token-wrapped, cms-aes or microsoft-2003
              format: \(self.format.rawValue)
              recovery-agents: \(self.recoveryAgents)
              # false: a key whose plaintext would have to be in the host's memory is refused.
              host-plaintext-allowed: \(self.hostPlaintextAllowed)
              # true: `signet key import --force` takes keys with certificates of other CAs.
              foreign-certificates: \(self.allowsForeignCertificates)
              # `signet key drill --if-due` proves that keys can be recovered when the last proof is older than this.
              drill-days: \(self.drillDays)
            \(self.trustedAgents.map { "  trusted-agents: \(YAMLText.quoted($0))" } ?? "  # trusted-agents: agents")
              # How many of a key's recovery agents have to open it together; without it, any one of them opens it alone.
            \(self.threshold.map { "  threshold: {required: \($0)}" } ?? "  # threshold: {required: 2}")
              # How many other certificate managers must approve before one takes an archived key, and for how long that
              # counts.
              release:
                approvals: \(self.releaseApprovals)
                validity: \(self.releaseValidity)
            """
        }
    }

    /// How long exchange keys live.
    package struct ExchangePolicy: Sendable, Equatable {
        /// `nil`: as the template CAExchange says, a week where it is not issued from.
        package var validity: TemplatePeriod?
        /// How long before its end the next one is made. `nil`: as the template says, a day where it is not issued from.
        package var overlap: TemplatePeriod?
        /// How long after its end a key is kept for requests that were made with it.
        package var keep: TemplatePeriod
        /// Whether the service removes keys from the token that nothing needs any more.
        package var retiresAutomatically: Bool
        /// Whether no exchange certificate is made unless the template CAExchange is among the enabled ones.
        package var requiresTemplate: Bool

        package init(
            validity: TemplatePeriod? = nil, overlap: TemplatePeriod? = nil, keep: TemplatePeriod = .weeks(1),
            retiresAutomatically: Bool = true, requiresTemplate: Bool = false
        ) {
            self.validity = validity
            self.overlap = overlap
            self.keep = keep
            self.retiresAutomatically = retiresAutomatically
            self.requiresTemplate = requiresTemplate
        }

        init(yaml: YAMLMapping?) throws {
            func period(_ key: String) throws -> TemplatePeriod? {
                guard let text = try yaml?.optionalText(key) else { return nil }
                guard let period = TemplatePeriod(text) else {
                    throw yaml?.invalid(key, "a period such as \"7 days\" is expected")
                        ?? ServiceError.notAnInstance(key)
                }
                return period
            }
            self.init(
                validity: try period("validity"), overlap: try period("overlap"),
                keep: try period("keep") ?? .weeks(1),
                retiresAutomatically: try yaml?.boolean("retire-automatically", default: true) ?? true,
                requiresTemplate: try yaml?.boolean("require-template", default: false) ?? false)
            if let validity = self.validity, let overlap = self.overlap,
                overlap.timeInterval * 2 > validity.timeInterval, let yaml
            {
                throw yaml.invalid("overlap", "at most half of the validity is expected")
            }
            try yaml?.finish()
        }

        var yamlText: String {
            """
            exchange:
              # As the template CAExchange says, unless they stand here.
            \(self.validity.map { "  validity: \($0)" } ?? "  # validity: 7 days")
            \(self.overlap.map { "  overlap: \($0)" } ?? "  # overlap: 1 days")
              # How long after its end a key is kept for requests that were made with it.
              keep: \(self.keep)
              retire-automatically: \(self.retiresAutomatically)
              # true: without the template CAExchange among the enabled ones no exchange certificate is made.
              require-template: \(self.requiresTemplate)
            """
        }
    }
}

extension KeyReleasePolicy {
    init(_ instance: Instance) {
        let policy = instance.configuration.archival
        self.init(
            approvals: policy.releaseApprovals, validity: policy.releaseValidity.timeInterval,
            accounts: .ofThisMachine(instance: instance.directory))
    }
}
