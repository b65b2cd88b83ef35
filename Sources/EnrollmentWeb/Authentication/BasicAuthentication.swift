import CertificateAuthority
import Hummingbird

/// Lets nobody pass without user name and password.
struct BasicAuthentication: RouterMiddleware {
    typealias Context = EnrollmentRequestContext

    let authenticator: any PrincipalAuthenticating

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let header = request.headers[.authorization],
            let credentials = try BasicCredentials(authorization: header),
            let principal = try await self.authenticator.authenticate(
                user: credentials.user, password: credentials.password)
        else { throw EnrollmentWebError.authenticationRequired }
        var context = context
        context.principal = principal
        context.notes.update { $0.user = principal.name }
        return try await next(request, context)
    }
}
