import CertificateAuthority
import Diagnostics
import Hummingbird
import Logging

/// Has every refusal of a caller recorded in the audit trail, as the command line does.
///
/// What cannot be recorded is in the log, and the caller is refused all the same.
struct RefusalRecording: RouterMiddleware {
    typealias Context = AuthenticatedContext

    let enrollment: any CertificateEnrolling

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            await self.record(error, context)
            throw error
        }
    }

    private func record(_ refusal: any Error, _ context: Context) async {
        do { try await self.enrollment.recordRefusal(refusal, of: context.principal) } catch {
            for line in ErrorReport(error).lines { context.logger.error("refusal not recorded: \(line)") }
        }
    }
}
