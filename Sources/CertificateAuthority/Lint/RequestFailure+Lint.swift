import Diagnostics

extension RequestFailure {
    /// `nil` when nothing that was found is an error.
    ///
    /// What the requester chose (key, names, extensions) denies the request; what the CA wrote is its own failure.
    init?(findings: [LintFinding]) {
        let errors = findings.filter { $0.severity == .error }
        guard let first = errors.first else { return nil }
        if let own = errors.first(where: { $0.source == .template || $0.source == .conformity }) {
            self.init(.issuance, IssuanceError.contentMismatch(own.text))
        } else {
            self.init(
                .policy,
                first.source == .key ? PolicyError.weakKey(errors) : PolicyError.nonconforming(errors))
        }
        self.findings = findings
    }
}

extension PolicyError {
    static func weakKey(_ findings: [LintFinding]) -> PolicyError {
        self.lint(findings, .badKey, ["Generate a new key with a sound generator and request again."])
    }

    static func nonconforming(_ findings: [LintFinding]) -> PolicyError {
        self.lint(
            findings, .badRequestSubject, ["Correct the names or extensions of the request and request again."])
    }

    private static func lint(_ findings: [LintFinding], _ code: HRESULT, _ advice: [Advice]) -> PolicyError {
        let texts = findings.map(\.text).joined(separator: "; ")
        return PolicyError(
            code: .lint, reason: texts, hresult: code,
            facts: [Fact("findings", findings.map(\.id).joined(separator: " "))], advice: advice,
            detail: "\(code.text) \(texts).")
    }
}
