import Diagnostics
import HTTPTypes
import Hummingbird

/// Turns what a handler throws into a page with the code, its text and the reference of the log line. The report
/// with its facts goes to the log only.
struct ErrorResponses: RouterMiddleware {
    typealias Context = EnrollmentRequestContext

    let caName: String

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return self.response(to: error, request: request, context: context)
        }
    }

    private func response(to error: any Error, request: Request, context: Context) -> Response {
        let error = ErrorResponses.known(error)
        let report = ErrorReport(error)
        let status = ErrorResponses.status(for: error, report.hresult)
        context.notes.update { notes in
            notes.code = report.hresult
            if status != .unauthorized { notes.failure = report.lines }
        }
        var response = self.body(report, status: status, request: request, context: context)
        if status == .unauthorized {
            response.headers[.wwwAuthenticate] = "Basic realm=\"certsrv\", charset=\"UTF-8\""
        }
        if let retryAfter = (error as? EnrollmentWebError)?.retryAfter {
            response.headers[.retryAfter] = String(retryAfter)
        }
        if status == .methodNotAllowed { response.headers[.allow] = "POST" }
        return response
    }

    /// The router's own "not found" has no code; ours has.
    private static func known(_ error: any Error) -> any Error {
        guard let http = error as? HTTPError, http.status == .notFound else { return error }
        return EnrollmentWebError.notPublished
    }

    private func body(
        _ report: ErrorReport, status: HTTPResponse.Status, request: Request, context: Context
    ) -> Response {
        guard request.uri.path.lowercased().hasPrefix("/certsrv") else {
            return .plainText("\(report.publicText)\nreference: \(context.reference)\n", status: status)
        }
        let notes = context.notes.current
        let page = ErrorPage(
            mode: (notes.mode ?? RequestMode(path: request.uri.path)).text, requestID: notes.requestID,
            code: report.hresult, reference: context.reference)
        return .page(PageLayout(caName: self.caName).page(heading: ErrorPage.heading, page.body()), status: status)
    }

    /// Codes of the certification authority and of messages come with 200, because enrolment clients read the page
    /// only then; everything that is the front's own matter has the status that HTTP has for it.
    static func status(for error: any Error, _ code: HRESULT) -> HTTPResponse.Status {
        if let error = error as? EnrollmentWebError { return status(for: error.code) }
        switch code.rawValue {
        case HRESULT.accessDenied.rawValue: return .forbidden
        case 0x8009_4000...0x8009_4FFF, 0x8009_1000...0x8009_3FFF: return .ok
        default: return .internalServerError
        }
    }

    private static func status(for code: EnrollmentWebError.Code) -> HTTPResponse.Status {
        switch code {
        case .invalidParameter: .badRequest
        case .bodyTooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .authenticationRequired: .unauthorized
        case .tooManyAttempts: .tooManyRequests
        case .busy: .serviceUnavailable
        case .crossSiteRequest: .forbidden
        case .methodNotAllowed: .methodNotAllowed
        case .notPublished: .notFound
        default: .internalServerError
        }
    }
}
