import CertificateAuthority
import Diagnostics
import EnrollmentWeb
import Synchronization

/// A certification authority whose verdict depends on the template alone, and that remembers what it was asked.
final class RecordingAuthority: CertificateEnrolling {
    private struct State {
        var submissions: [EnrollmentSubmission] = []
        var results: [Int64: EnrollmentResult] = [:]
        var refusals: [(who: String, error: any Error)] = []
    }

    private let certificateDER: [UInt8]
    private let state = Mutex(State())

    init(certificateDER: [UInt8]) {
        self.certificateDER = certificateDER
    }

    /// Every error that the front has handed over to be recorded.
    var refusals: [(who: String, error: any Error)] { self.state.withLock { $0.refusals } }

    func recordRefusal(_ error: any Error, of who: Principal) async throws {
        self.state.withLock { $0.refusals.append((who.name, error)) }
        if self.refusals.count > 1 { throw TokenFault() }
    }

    var submissions: [EnrollmentSubmission] { self.state.withLock { $0.submissions } }

    func submit(_ submission: EnrollmentSubmission) async throws -> EnrollmentResult {
        let template = RequestAttributes(submission.attributes).values(of: "CertificateTemplate").first ?? ""
        guard template != "Fault" else { throw TokenFault() }
        return self.state.withLock { state in
            state.submissions.append(submission)
            let result = self.result(Int64(state.submissions.count) + 40, template: template)
            state.results[result.requestID] = result
            return result
        }
    }

    func result(
        ofRequest requestID: Int64, for caller: Principal, response: ResponseForm
    ) async throws -> EnrollmentResult {
        guard let result = self.state.withLock({ $0.results[requestID] }) else {
            throw RequestError.unknownRequest(requestID, operation: "retrieve request \(requestID)")
        }
        guard caller.name == "alice" else {
            throw RequestError.accessDenied(caller, operation: .readRequests, to: "retrieve request \(requestID)")
        }
        return result
    }

    private func result(_ requestID: Int64, template: String) -> EnrollmentResult {
        switch template {
        case "WebServer":
            EnrollmentResult(
                requestID: requestID, disposition: .issued, statusCode: .ok, dispositionMessage: "Issued",
                certificateDER: self.certificateDER)
        case "User":
            EnrollmentResult(
                requestID: requestID, disposition: .issued, statusCode: .ok, dispositionMessage: "Issued",
                certificateDER: self.certificateDER, fullResponseDER: [0x30, 0x03, 0x02, 0x01, 0xFB])
        case "KeyRecoveryAgent":
            EnrollmentResult(
                requestID: requestID, disposition: .pending, statusCode: .ok,
                dispositionMessage: "Taken Under Submission")
        case "NoAgent", "BadAgent":
            EnrollmentResult(
                requestID: requestID, disposition: .error,
                statusCode: template == "NoAgent" ? .keyArchivalNotConfigured : .noValidKRA,
                dispositionMessage: "Error Archiving Private Key", failure: TokenFault())
        case "Broken":
            EnrollmentResult(
                requestID: requestID, disposition: .error, statusCode: .invalidData,
                dispositionMessage: "Error Parsing Request", failure: TokenFault())
        default:
            EnrollmentResult(
                requestID: requestID, disposition: .denied, statusCode: .unsupportedCertType,
                dispositionMessage: "Denied by Policy Module  0x80094800, The request was for a certificate template "
                    + "that is not supported by the Active Directory Certificate Services policy: \(template).")
        }
    }
}

/// An error full of facts that must not leave the machine.
struct TokenFault: DiagnosableError {
    var headline: String { "Could not sign with the key on token HSM-7 in /var/secret" }
    var hresult: HRESULT { .providerFailure }
    var facts: [Fact] { [Fact("serial number of the token", "HSM-SERIAL-4711")] }
    var advice: [Advice] { ["Look at slot 9 of HSM-7."] }
}
