import PKIMessages
import SwiftASN1
import X509

/// Presence, criticality and agreement of the extensions (RFC 5280, section 4.2).
struct ExtensionLint {
    private(set) var findings: [LintFinding] = []
    private let fields: CertificateFields
    private let known: ExtensionDecoding

    /// Extensions that must not be critical, and those that must.
    private static let neverCritical: Set<ASN1ObjectIdentifier> = [
        OID.subjectKeyIdentifier, OID.authorityKeyIdentifier, OID.authorityInformationAccess,
    ]
    private static let alwaysCritical: Set<ASN1ObjectIdentifier> = [
        OID.nameConstraints, OID.policyConstraints, OID.inhibitAnyPolicy,
    ]
    /// Extensions that mean something in CA certificates only.
    private static let onlyInCA: Set<ASN1ObjectIdentifier> = [
        OID.nameConstraints, OID.policyConstraints, OID.inhibitAnyPolicy,
        OID.policyMappings,
    ]

    init(_ fields: CertificateFields) throws {
        self.fields = fields
        self.known = ExtensionDecoding(fields.extensions)
        self.checkCriticality()
        try self.checkAuthority()
        try self.checkUsage()
        try self.checkPolicies()
    }

    private var isAuthority: Bool {
        if case .isCertificateAuthority? = self.fields.basicConstraints { true } else { false }
    }

    private mutating func add(_ id: String, _ text: String, _ severity: LintFinding.Severity = .error) {
        self.findings.append(LintFinding(id, severity, .request, text))
    }

    private mutating func checkCriticality() {
        for found in self.fields.extensions {
            if found.critical, ExtensionLint.neverCritical.contains(found.oid) {
                self.add("extension-critical", "extension \(found.oid) must not be critical")
            }
            if !found.critical, ExtensionLint.alwaysCritical.contains(found.oid) {
                self.add("extension-not-critical", "extension \(found.oid) must be critical")
            }
            if !self.isAuthority, ExtensionLint.onlyInCA.contains(found.oid) {
                self.add("extension-only-in-ca", "extension \(found.oid) is for certification authorities only")
            }
        }
        if self.isAuthority, self.known[OID.basicConstraints]?.critical == false {
            self.add("basic-constraints-not-critical", "the basic constraints of a CA must be critical")
        }
        if self.known[OID.keyUsage]?.critical == false {
            self.add("key-usage-not-critical", "the key usage should be critical", .warning)
        }
    }

    private mutating func checkAuthority() throws {
        if self.fields.authorityKeyIdentifier == nil, !self.fields.isSelfIssued {
            self.add("no-authority-key-identifier", "the authority key identifier is missing")
        }
        if self.isAuthority, self.fields.subjectKeyIdentifier == nil {
            self.add("no-subject-key-identifier", "a CA certificate must have a subject key identifier")
        }
        if self.isAuthority, self.fields.subjectDER == [0x30, 0x00] {
            self.add("ca-without-subject", "a CA certificate must have a subject")
        }
        let signs = self.fields.keyUsage?.keyCertSign
        if self.isAuthority, signs != true {
            self.add("ca-without-key-cert-sign", "a CA certificate must have the key usage keyCertSign")
        }
        if !self.isAuthority, signs == true {
            self.add("key-cert-sign-without-ca", "the key usage keyCertSign is for certification authorities only")
        }
    }

    private mutating func checkUsage() throws {
        if self.known[OID.keyUsage] != nil, let usage = self.fields.keyUsage {
            if usage == KeyUsage() { self.add("key-usage-empty", "the key usage has no bit set") }
            let encrypts = usage.keyEncipherment || usage.dataEncipherment
            if !self.fields.subjectPublicKeyInfo.isRSA, encrypts {
                self.add(
                    "key-usage-for-other-key", "a key that is not RSA cannot encrypt (RFC 8813, section 3)")
            }
        }
        let purposes = self.fields.extendedKeyUsages
        if Set(purposes).count != purposes.count {
            self.add("extended-key-usage-twice", "an extended key usage appears twice")
        }
        if self.known[OID.extendedKeyUsage]?.critical == true, purposes.contains(ExtendedKeyPurpose.anyPurpose.oid) {
            self.add("any-purpose-critical", "anyExtendedKeyUsage should not be critical", .warning)
        }
    }

    private mutating func checkPolicies() throws {
        let policies = try self.known.certificatePolicies()
        if Set(policies).count != policies.count {
            self.add("certificate-policy-twice", "a certificate policy appears twice")
        }
    }
}
