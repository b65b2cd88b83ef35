import CAService
import CertificateAuthority
import EnrollmentWeb

/// Enrolment at the CA as it is when a request comes in. One that has begun ends with the certificate with which it began.
struct CurrentEnrollment: CertificateEnrolling {
    let authority: RunningAuthority

    func submit(_ submission: EnrollmentSubmission) async throws -> EnrollmentResult {
        try await self.authority.current.authority.submit(submission)
    }

    func result(
        ofRequest requestID: Int64, for caller: Principal, response: ResponseForm
    ) async throws -> EnrollmentResult {
        try await self.authority.current.authority.result(ofRequest: requestID, for: caller, response: response)
    }

    func recordRefusal(_ error: any Error, of who: Principal) async throws {
        try await self.authority.current.authority.recordRefusal(error, of: who)
    }
}
