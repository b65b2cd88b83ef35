package import Diagnostics
internal import PKCS11

/// Why a step did not work: what the token answered, or what is wrong with what it gave.
package struct ProbeFailure: Error, Hashable, Sendable {
    /// As a clause.
    package var reason: String
    package var change: String
    package var returnValue: ReturnValue?
    package var function: String?

    init(_ reason: String, change: String) {
        self.reason = reason
        self.change = change
        self.returnValue = nil
        self.function = nil
    }

    init(_ error: any Error) {
        let report = ErrorReport(error)
        switch error {
        case let failure as ProbeFailure:
            self = failure
        case let error as PKCS11Error:
            let mechanism = error.mechanism.map { " with \($0)" } ?? ""
            self.reason = "\(error.function)\(mechanism) returned \(error.returnValue)"
            self.change = report.advice.first?.sentence ?? ""
            self.returnValue = error.returnValue
            self.function = error.function
        default:
            self.reason = report.headline
            self.change = report.advice.first?.sentence ?? ""
            self.returnValue = nil
            self.function = nil
        }
    }

    /// True when the call was refused before an operation began, so that the session is as good as it was.
    var leavesSessionUsable: Bool {
        guard let function = self.function else { return true }
        let initialising = function.hasSuffix("Init")
        let refusals: Set<ReturnValue> = [
            .mechanismInvalid, .mechanismParamInvalid, .argumentsBad, .functionNotSupported, .keyFunctionNotPermitted,
            .keyTypeInconsistent, .templateInconsistent, .templateIncomplete, .attributeTypeInvalid,
            .attributeValueInvalid,
        ]
        return self.returnValue.map { initialising && refusals.contains($0) } ?? false
    }
}
