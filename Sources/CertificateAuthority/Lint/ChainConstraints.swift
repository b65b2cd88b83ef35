import PKIMessages
import SwiftASN1
import X509

/// What the certificates above allow: path length and name constraints (RFC 5280, sections 4.2.1.9, 4.2.1.10 and 6.1).
struct ChainConstraints: Sendable {
    /// How many CA certificates may follow the issuer; `nil` for any number.
    private let remainingDepth: Int?
    private let names: [NameSubtrees]
    private let issuerNotAfter: CertificateFields?

    /// - Parameter chain: the issuer first.
    init(_ chain: [CertificateFields]) throws {
        self.issuerNotAfter = chain.first
        var remaining: Int?
        for (depth, certificate) in chain.enumerated() {
            guard case .isCertificateAuthority(let limit?) = certificate.basicConstraints else { continue }
            // The issuers between that certificate and the new one take their share; self-issued ones do not count.
            let between = chain.prefix(depth).filter { !$0.isSelfIssued }.count
            remaining = min(remaining ?? .max, limit - between)
        }
        self.remainingDepth = remaining
        // A root's own constraints are kept, too: who signed it with them meant them.
        self.names = try chain.compactMap { try NameSubtrees($0.extensions) }
    }

    func findings(about fields: CertificateFields) throws -> [LintFinding] {
        var findings: [LintFinding] = []
        if case .isCertificateAuthority(let pathLength)? = fields.basicConstraints, let remaining = self.remainingDepth
        {
            if remaining < 1 {
                findings.append(
                    LintFinding("path-length-exceeded", .error, .chain, "no CA may be below this one"))
            } else if let pathLength, pathLength >= remaining {
                findings.append(
                    LintFinding(
                        "path-length-useless", .warning, .chain,
                        "the path length is \(pathLength), and the chain allows \(remaining - 1)"))
            }
        }
        if let issuer = self.issuerNotAfter, fields.notAfter > issuer.notAfter {
            findings.append(
                LintFinding("outlives-issuer", .error, .chain, "the certificate is valid longer than its issuer's"))
        }
        guard !self.names.isEmpty else { return findings }
        let subject = try SubjectNames(fields)
        for subtrees in self.names { findings += subtrees.findings(about: subject) }
        return findings
    }
}

/// Every name of a certificate to which constraints apply.
struct SubjectNames {
    var names: [GeneralName]

    init(_ fields: CertificateFields) throws {
        self.names = try ExtensionDecoding(fields.extensions).subjectAlternativeNames()
        guard fields.subjectDER != [0x30, 0x00] else { return }
        self.names.append(.directoryName(fields.subject))
        // Mail addresses of the subject count as well (RFC 5280, section 4.2.1.10).
        for attribute in fields.subject.joined() where attribute.type == .RDNAttributeType.emailAddress {
            if let text = String(attribute.value) { self.names.append(.rfc822Name(text)) }
        }
    }
}
