import CertificateAuthority
import PKIMessages
import SwiftASN1
import X509

/// The content of `CAPolicy.inf` in YAML.
extension AuthorityPolicy {
    init(_ yaml: YAMLMapping) throws {
        self.init()
        if yaml.keys.contains("path-length") {
            self.settings.pathLength = try yaml.integer("path-length", in: 0...255)
        }
        self.settings.basicConstraintsCritical = try yaml.boolean("basic-constraints-critical", default: true)
        try self.readPolicies(yaml)
        self.settings.crlURLs.values = try yaml.texts(
            "crl-distribution-points", expected: "an address", AuthorityPolicyValues.url)
        self.settings.caIssuerURLs.values = try yaml.texts(
            "authority-information-access", expected: "an address", AuthorityPolicyValues.url)
        self.settings.extendedKeyUsages.values = try yaml.texts(
            "extended-key-usage", expected: "a name or object identifier"
        ) { ExtendedKeyPurpose($0)?.oid }
        if let constraints = try yaml.optionalMapping("name-constraints") {
            self.settings.nameConstraints = NameConstraintSubtrees(
                permitted: try AuthorityPolicy.subtrees(constraints.optionalMapping("permitted")),
                excluded: try AuthorityPolicy.subtrees(constraints.optionalMapping("excluded")))
            self.settings.nameConstraintsCritical = try constraints.boolean("critical", default: true)
            try constraints.finish()
        }
        try self.readPolicyRules(yaml)
        if let cross = try yaml.optionalMapping("cross-certificates") {
            self.settings.crossCertificateURLs.values = try cross.texts(
                "urls", expected: "an address", AuthorityPolicyValues.url)
            if cross.keys.contains("interval-seconds") {
                self.settings.crossCertificateInterval = try cross.integer("interval-seconds", in: 0...31_536_000)
            }
            try cross.finish()
        }
        try self.readServer(yaml)
        try yaml.finish()
    }

    private mutating func readPolicies(_ yaml: YAMLMapping) throws {
        self.settings.policies.critical = try yaml.boolean("policies-critical", default: false)
        guard let policies = try yaml.optionalMapping("policies") else { return }
        for (oid, policy) in try policies.mappings().sorted(by: { $0.key < $1.key }) {
            guard let identifier = AuthorityPolicyValues.oid(oid) else {
                throw policies.invalid(oid, "an object identifier is expected")
            }
            var statement = PolicyStatement(oid: identifier)
            statement.furtherCPS = try policy.texts("urls", expected: "an address", AuthorityPolicyValues.url)
            statement.furtherNotices = try policy.texts("notices", expected: "a text") { $0 }
            try policy.finish()
            self.settings.policies.values.append(statement)
        }
        try policies.finish()
    }

    private static func subtrees(_ yaml: YAMLMapping?) throws -> [GeneralName] {
        guard let yaml else { return [] }
        let names = try ["directory-name", "dns", "email", "ip", "upn", "uri"].flatMap { kind in
            try yaml.texts(kind, expected: "a constraint of that kind") { AuthorityPolicyValues.constraint(kind, $0) }
        }
        try yaml.finish()
        return names
    }

    private mutating func readPolicyRules(_ yaml: YAMLMapping) throws {
        if let mappings = try yaml.optionalMapping("policy-mappings") {
            for (issuer, subject) in try mappings.texts().sorted(by: { $0.key < $1.key }) {
                guard let one = AuthorityPolicyValues.oid(issuer), let two = AuthorityPolicyValues.oid(subject) else {
                    throw mappings.invalid(issuer, "two object identifiers are expected")
                }
                self.settings.policyMappings.values.append(PolicyMapping(issuerPolicy: one, subjectPolicy: two))
            }
            try mappings.finish()
        }
        if let constraints = try yaml.optionalMapping("policy-constraints") {
            func skip(_ key: String) throws -> Int? {
                constraints.keys.contains(key) ? try constraints.integer(key, in: 0...255) : nil
            }
            self.settings.policyConstraints = PolicyConstraints(
                requireExplicitPolicy: try skip("require-explicit-policy"),
                inhibitPolicyMapping: try skip("inhibit-policy-mapping"))
            try constraints.finish()
        }
        if yaml.keys.contains("inhibit-any-policy") {
            self.settings.inhibitAnyPolicy = try yaml.integer("inhibit-any-policy", in: 0...255)
        }
    }

    private mutating func readServer(_ yaml: YAMLMapping) throws {
        if yaml.keys.contains("renewal-key-length") {
            self.renewalKeyLength = try yaml.integer("renewal-key-length", in: 256...16_384)
        }
        self.renewalValidity = try AuthorityPolicy.period("renewal-validity", yaml, atLeast: 1)
        self.crlPeriod = try AuthorityPolicy.period("crl-period", yaml, atLeast: 1)
        self.crlDeltaPeriod = try AuthorityPolicy.period("crl-delta-period", yaml, atLeast: 0)
        if yaml.keys.contains("clock-skew-minutes") {
            self.clockSkewMinutes = try yaml.integer("clock-skew-minutes", in: 0...1_440)
        }
        if yaml.keys.contains("hash-algorithm") {
            self.hashAlgorithm = try yaml.value(
                "hash-algorithm", default: nil, expected: Digest.authorityTexts, Digest.init(authorityText:))
        }
        self.loadsDefaultTemplates = try yaml.boolean("load-default-templates", default: true)
    }

    /// `10 years`
    private static func period(_ key: String, _ yaml: YAMLMapping, atLeast minimum: Int) throws -> Period? {
        guard let text = try yaml.optionalText(key) else { return nil }
        guard let period = Period(text), period.count >= minimum else {
            throw yaml.invalid(key, "a number and hours, days, weeks, months or years is expected")
        }
        return period
    }
}
