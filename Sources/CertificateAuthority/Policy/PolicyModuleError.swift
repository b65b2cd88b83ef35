package import Diagnostics

/// A policy module reached no verdict: the request fails, and nothing is issued.
package struct PolicyModuleError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// The module's answer would give more than the template.
        package static let widens = Code(rawValue: "widens")
        /// The external program did not answer in time and was killed.
        package static let deadline = Code(rawValue: "deadline")
        /// The external program could not be run, or ended with an error.
        package static let failed = Code(rawValue: "failed")
        /// The external program's answer is none.
        package static let badAnswer = Code(rawValue: "badAnswer")
    }

    package var code: Code
    package var reason: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]

    package var headline: String { "Could not ask policy about a request: \(self.reason)." }

    package static func == (lhs: PolicyModuleError, rhs: PolicyModuleError) -> Bool { lhs.code == rhs.code }
}

extension PolicyModuleError {
    package static func widens(_ what: String) -> PolicyModuleError {
        PolicyModuleError(
            code: .widens, reason: "the policy module's answer has \(what) that the template does not give",
            hresult: .invalidData, facts: [Fact("field", what)],
            advice: ["Let the policy program answer with what the question proposes, or with less."])
    }

    package static func deadline(_ program: String, seconds: Int) -> PolicyModuleError {
        PolicyModuleError(
            code: .deadline, reason: "\(program) did not answer within \(seconds) seconds and was ended",
            hresult: .timeout, facts: [Fact("program", program)],
            advice: ["Find out why the program hangs, or raise policy.program.deadline-seconds in signet.yaml."])
    }

    package static func failed(_ program: String, _ reason: String, standardError: String = "") -> PolicyModuleError {
        PolicyModuleError(
            code: .failed, reason: "\(program) \(reason)", hresult: .genericFailure,
            facts: [Fact("program", program)] + (standardError.isEmpty ? [] : [Fact("standard error", standardError)]),
            advice: ["Run the program by hand with a question from docs/policy.md, and correct it."])
    }

    package static func badAnswer(_ program: String, _ reason: String) -> PolicyModuleError {
        PolicyModuleError(
            code: .badAnswer, reason: "the answer of \(program) cannot be used: \(reason)", hresult: .invalidData,
            facts: [Fact("program", program)],
            advice: ["Let the program write one JSON object as docs/policy.md has it, and nothing else."])
    }
}
