import CertificateAuthority
import Hummingbird

/// Lets nobody pass without user name and password, or a client certificate that stands for a user.
struct BasicAuthentication: RouterMiddleware {
    typealias Context = EnrollmentRequestContext

    let authenticator: any PrincipalAuthenticating

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let principal = try await self.principal(of: request, context) else {
            throw EnrollmentWebError.authenticationRequired
        }
        var context = context
        context.principal = principal
        context.notes.update { $0.user = principal.name }
        return try await next(request, context)
    }

    /// By password when one is given, otherwise by the client certificate of the connection.
    private func principal(of request: Request, _ context: Context) async throws -> Principal? {
        guard let header = request.headers[.authorization] else {
            guard let certificate = try await context.clientCertificate() else { return nil }
            return try await self.authenticator.authenticate(certificateDER: certificate)
        }
        guard let credentials = try BasicCredentials(authorization: header) else { return nil }
        return try await self.authenticator.authenticate(user: credentials.user, password: credentials.password)
    }
}
