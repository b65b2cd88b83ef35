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

    func findings(
        about fields: CertificateFields, _ alternativeNames: [GeneralName]
    ) -> [LintFinding] {
        var findings: [LintFinding] = []
        var isAuthority = false
        if case .isCertificateAuthority(let pathLength)? = fields.basicConstraints {
            isAuthority = true
            findings += self.findings(aboutPathLength: pathLength, isSelfIssued: fields.isSelfIssued)
        }
        if let issuer = self.issuerNotAfter, fields.notAfter > issuer.notAfter {
            findings.append(
                LintFinding("outlives-issuer", .error, .chain, "the certificate is valid longer than its issuer's"))
        }
        // A self-issued CA certificate is not held to them (RFC 5280, section 6.1.3): it is the CA of the constraints itself.
        guard !self.names.isEmpty, !(isAuthority && fields.isSelfIssued) else { return findings }
        let subject = SubjectNames(fields, alternativeNames)
        for subtrees in self.names { findings += subtrees.findings(about: subject) }
        return findings
    }

    /// A self-issued certificate takes nothing of the path length of those above (RFC 5280, section 4.2.1.9).
    private func findings(aboutPathLength pathLength: Int?, isSelfIssued: Bool) -> [LintFinding] {
        guard let remaining = self.remainingDepth, !isSelfIssued else { return [] }
        if remaining < 1 {
            return [LintFinding("path-length-exceeded", .error, .chain, "no CA may be below this one")]
        }
        guard let pathLength, pathLength >= remaining else { return [] }
        return [
            LintFinding(
                "path-length-useless", .warning, .chain,
                "the path length is \(pathLength), and the chain allows \(remaining - 1)")
        ]
    }
}

/// Every name of a certificate to which constraints apply.
struct SubjectNames {
    var names: [GeneralName]

    init(_ fields: CertificateFields, _ alternativeNames: [GeneralName]) {
        self.names = alternativeNames
        guard fields.subjectDER != [0x30, 0x00] else { return }
        self.names.append(.directoryName(fields.subject))
        // Mail addresses of the subject count as well (RFC 5280, section 4.2.1.10).
        for attribute in fields.subject.joined() where attribute.type == .RDNAttributeType.emailAddress {
            if let text = String(attribute.value) { self.names.append(.rfc822Name(text)) }
        }
    }
}
