import Diagnostics
import Hummingbird
import Logging

/// Writes one line a request: when it is answered, with its outcome. Query, headers and bodies are not in it.
struct RequestLog: RouterMiddleware {
    typealias Context = EnrollmentRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let notes = context.notes.current
        context.logger.log(
            level: response.status.kind == .serverError ? .error : .info, "request",
            metadata: self.metadata(of: request, response, notes, context, took: ContinuousClock.now - start))
        return response
    }

    private func metadata(
        of request: Request, _ response: Response, _ notes: RequestNotes.Content, _ context: Context, took: Duration
    ) -> Logger.Metadata {
        let milliseconds = took.components.seconds * 1000 + took.components.attoseconds / 1_000_000_000_000_000
        var metadata: Logger.Metadata = [
            "method": "\(request.method.rawValue)", "path": "\(request.uri.path.prefix(256))",
            "status": "\(response.status.code)", "milliseconds": "\(milliseconds)",
        ]
        metadata["remote"] = context.remoteAddress.map { "\($0)" }
        metadata["user"] = notes.user.map { "\($0)" }
        metadata["request"] = notes.requestID.map { "\($0)" }
        metadata["disposition"] = notes.disposition.map { "\($0)" }
        metadata["code"] = notes.code.map { "\($0)" }
        if !notes.failure.isEmpty { metadata["failure"] = .array(notes.failure.map { "\($0)" }) }
        return metadata
    }
}
