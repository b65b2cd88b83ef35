package import CertificateAuthority
package import SecretMemory

/// Tells who somebody is by user name and password.
package protocol PrincipalAuthenticating: Sendable {
    /// - Returns: `nil` when user name and password do not fit; which of the two is wrong is not told.
    /// - Throws: ``EnrollmentWebError`` with code `tooManyAttempts` or `busy`; `StorageError`.
    func authenticate(user: String, password: SecretBytes) async throws -> Principal?

    /// - Parameter certificateDER: a client certificate that TLS has verified.
    /// - Returns: `nil` when it stands for nobody here, or is revoked.
    func authenticate(certificateDER: [UInt8]) async throws -> Principal?
}

extension PrincipalAuthenticating {
    package func authenticate(certificateDER: [UInt8]) async throws -> Principal? { nil }
}
