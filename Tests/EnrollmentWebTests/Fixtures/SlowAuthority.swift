import CertificateAuthority
import Diagnostics
import EnrollmentWeb

/// Answers when it is released, so that a test knows that a request is in progress.
final class SlowAuthority: CertificateEnrolling {
    private let certificateDER: [UInt8]
    private let asked = AsyncStream.makeStream(of: Void.self)
    private let released = AsyncStream.makeStream(of: Void.self)

    init(certificateDER: [UInt8]) {
        self.certificateDER = certificateDER
    }

    func untilAsked() async { for await _ in self.asked.stream { return } }

    func release() { self.released.continuation.finish() }

    func recordRefusal(_ error: any Error, of who: Principal) async throws {}

    func submit(_ submission: EnrollmentSubmission) async throws -> EnrollmentResult {
        try await self.result(ofRequest: 1, for: submission.caller, response: .asRequested)
    }

    func result(
        ofRequest requestID: Int64, for caller: Principal, response: ResponseForm
    ) async throws -> EnrollmentResult {
        self.asked.continuation.finish()
        for await _ in self.released.stream {}
        return EnrollmentResult(
            requestID: requestID, disposition: .issued, statusCode: .ok, dispositionMessage: "Issued",
            certificateDER: self.certificateDER)
    }
}
