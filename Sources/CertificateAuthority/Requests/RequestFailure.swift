import Diagnostics
import KeyProvider

/// Why a request gets no certificate: what its row and the audit chain will say.
struct RequestFailure: Error {
    /// The step that failed, with the disposition messages of Certificate Services (protocols.md 1.6).
    enum Step {
        case parsing
        case signatureVerification
        case policy
        case archival
        /// The token signed wrongly or not at all.
        case signing
        /// Anything else between the verdict and the outcome.
        case issuance
    }

    let step: Step
    let error: any DiagnosableError
    /// The intent to close; `nil` when none was stored yet.
    var intentID: Int64?
    /// What the linter found, stored with the request.
    var findings: [LintFinding] = []

    init(_ step: Step, _ error: any Error, intentID: Int64? = nil) {
        self.step = step
        self.error = (error as? any DiagnosableError) ?? IssuanceError.unexpected("\(type(of: error))")
        self.intentID = intentID
    }

    /// A verdict is a denial; everything else, a policy module that reached none included, is an error.
    var disposition: Disposition { self.isVerdict ? .denied : .error }

    private var isVerdict: Bool { self.step == .policy && self.error is PolicyError }

    var dispositionMessage: String {
        switch self.step {
        case .parsing: "Error Parsing Request"
        case .signatureVerification: "Error Verifying Request Signature or Signing Certificate"
        case .policy:
            // Two blanks: clients look for them (protocols.md 4).
            "Denied by Policy Module  \(self.error.hresult), \(self.detail)"
        case .archival: "Error Archiving Private Key"
        case .signing, .issuance: "Error Constructing or Publishing Certificate"
        }
    }

    var auditEventID: AuditEventID {
        if self.isVerdict { return .policyDenied }
        if (self.error as? IssuanceError)?.code == .wrongSignature { return .wrongSignature }
        if (self.error as? IssuanceError)?.code == .keyStopped { return .tokenFailure }
        return self.error is KeyProviderError || self.error.tokenFailure != nil ? .tokenFailure : .requestFailed
    }

    /// For the audit chain: everything but advice. Errors hold no secrets.
    var auditDetails: [String: String] {
        var details = ["Error": self.error.headline, "Code": "\(self.error.hresult)"]
        if let failure = self.error.tokenFailure { details["Call"] = "\(failure.function): \(failure.answer)" }
        if let found = (self.error as? IssuanceError)?.facts.first(where: { $0.name == "found" }) {
            details["Found"] = found.value
        }
        if !self.findings.isEmpty { details["Findings"] = self.findings.map(\.id).joined(separator: " ") }
        if let token = self.error.tokenFailure?.token { details["Token"] = "\(token)" }
        return details
    }

    private var detail: String {
        (self.error as? PolicyError)?.detail ?? self.error.hresult.text
    }
}

/// Runs one step and says which it was when it fails.
func attempting<R>(_ step: RequestFailure.Step, _ body: () throws -> R) throws -> R {
    do { return try body() } catch { throw RequestFailure(step, error) }
}

/// The same for a step that waits.
func attempting<R>(_ step: RequestFailure.Step, _ body: () async throws -> R) async throws -> R {
    do { return try await body() } catch { throw RequestFailure(step, error) }
}
