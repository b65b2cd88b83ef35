package import CertificateAuthority

/// What the enrolment pages ask of a certification authority, and nothing more.
///
/// ``CertificationAuthority`` answers it; tests of the pages bring their own.
package protocol CertificateEnrolling: Sendable {
    /// Takes a request. Issued, pending, denied and failed are results; an error is thrown when the caller may not
    /// enrol at all or the database fails.
    func submit(_ submission: EnrollmentSubmission) async throws -> EnrollmentResult

    /// What became of a request.
    ///
    /// - Throws: a `DiagnosableError`; `0x80094004` when there is no such request, `0x80070005` when it is not the
    ///   caller's to see.
    func result(
        ofRequest requestID: Int64, for caller: Principal, response: ResponseForm
    ) async throws -> EnrollmentResult

    /// Records that somebody was refused an operation (audit event 10010). Does nothing for errors of other kinds.
    func recordRefusal(_ error: any Error, of who: Principal) async throws
}

extension CertificationAuthority: CertificateEnrolling {}
