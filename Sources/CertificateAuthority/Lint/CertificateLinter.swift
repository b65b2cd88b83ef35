package import PKIMessages
import X509

/// Looks at the bytes that a token is about to sign, whatever made them: RFC 5280, the chain's constraints, the
/// key's strength, and whether they say what policy decided.
///
/// What depends on the CA alone is worked out once. A linter has no state and serves many tasks.
package struct CertificateLinter: Sendable {
    private let settings: LintSettings
    private var chain: ChainConstraints
    private let keys: KeyLint

    /// - Parameters:
    ///   - chain: the issuer's certificate first, the root last.
    ///   - weakKeys: keys that are known to everybody.
    /// - Throws: `PKIMessageError` when the constraints of a certificate above cannot be read.
    package init(
        settings: LintSettings = LintSettings(), chain: [CertificateFields] = [],
        weakKeys: WeakKeyList = WeakKeyList()
    ) throws {
        self.settings = settings
        self.chain = try ChainConstraints(chain)
        self.keys = KeyLint(settings: settings, weakKeys: weakKeys)
    }

    /// The same for what another key of the CA issues.
    ///
    /// - Parameter chain: the issuer's certificate first, the root last.
    func below(_ chain: [CertificateFields]) throws -> CertificateLinter {
        var linter = self
        linter.chain = try ChainConstraints(chain)
        return linter
    }

    /// What is wrong with the bytes by themselves and under this CA; nothing when all is well.
    ///
    /// - Parameter toBeSigned: DER of TBSCertificate.
    package func lint(
        toBeSigned: [UInt8], algorithm: SignatureAlgorithmIdentifier
    ) -> [LintFinding] {
        do {
            let fields = try CertificateFields(toBeSigned: toBeSigned, algorithm: algorithm)
            return try self.lint(fields, ExtensionDecoding(fields.extensions).subjectAlternativeNames())
        } catch {
            return [self.unreadable(error)]
        }
    }

    /// The same, and whether the bytes are what was decided.
    ///
    /// - Returns: what the bytes say, and what was found.
    /// - Throws: ``RequestFailure`` with the findings when they must not be signed: a denial when the requester's key
    ///   or names are the reason, an error when the CA's own doing is.
    func read(
        toBeSigned: [UInt8], decided: TBSCertificate, content: CertificateContent, issuer: CertificateIssuer
    ) throws -> (CertificateFields, warnings: [LintFinding]) {
        let fields: CertificateFields
        let findings: [LintFinding]
        do {
            fields = try CertificateFields(
                toBeSigned: toBeSigned, algorithm: issuer.signatureAlgorithm,
                known: KnownParts(
                    names: [issuer.certificate.subjectName] + [content.requestName].compactMap { $0 },
                    keys: [content.subjectPublicKeyInfo]))
            let names = try ExtensionDecoding(fields.extensions).subjectAlternativeNames()
            let mismatches = try ContentLint(
                fields: fields, alternativeNames: names, decided: decided, content: content, issuer: issuer)
            findings = self.tolerating(mismatches.findings) + (try self.lint(fields, names))
        } catch {
            throw RequestFailure(findings: [self.unreadable(error)]) ?? RequestFailure(.issuance, error)
        }
        if let failure = RequestFailure(findings: findings) { throw failure }
        return (fields, findings)
    }

    private func lint(_ fields: CertificateFields, _ alternativeNames: [GeneralName]) throws -> [LintFinding] {
        let findings =
            CertificateShapeLint(fields).findings + (try ExtensionLint(fields).findings)
            + NameLint(fields, alternativeNames).findings + self.chain.findings(about: fields, alternativeNames)
            + (try self.keys.findings(about: fields.subjectPublicKeyInfo))
        return self.tolerating(findings)
    }

    private func tolerating(_ findings: [LintFinding]) -> [LintFinding] {
        guard !self.settings.tolerated.isEmpty else { return findings }
        return findings.map { finding in
            guard self.settings.tolerated.contains(finding.id) else { return finding }
            return LintFinding(finding.id, .warning, finding.source, finding.text)
        }
    }

    private func unreadable(_ error: any Error) -> LintFinding {
        LintFinding(
            "not-der", .error, .conformity,
            "the certificate cannot be read: \((error as? PKIMessageError)?.headline ?? "\(type(of: error))")")
    }
}
