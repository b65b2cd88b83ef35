import CertificateAuthority
import Diagnostics
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// `POST certfnsh.asp`: a new request, or the question what became of one.
struct SubmissionRoutes: Sendable {
    let front: EnrollmentFront

    func add(to certsrv: RouterGroup<AuthenticatedContext>) {
        certsrv.post("certfnsh.asp") { request, context in
            try await self.finish(request, context)
        }
        certsrv.get("certfnsh.asp") { _, _ -> Response in throw EnrollmentWebError.methodNotAllowed }
    }

    private func finish(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        try SameSite.check(request)
        let form = try await self.form(of: request)
        switch try form.require("Mode").lowercased() {
        case "newreq": return try await self.submit(form, context)
        case "chkpnd": return try await self.checkPending(form, context)
        default: throw EnrollmentWebError.invalidParameter("Mode", "it is neither newreq nor chkpnd")
        }
    }

    private func form(of request: Request) async throws -> FormParameters {
        let mediaType = request.headers[.contentType]?.split(separator: ";").first.map(String.init) ?? ""
        guard mediaType.trimmingCharacters(in: .whitespaces).lowercased() == "application/x-www-form-urlencoded"
        else { throw EnrollmentWebError.unsupportedMediaType }
        let limit = self.front.maximumFormBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw EnrollmentWebError.bodyTooLarge(limit: limit)
        }
        do {
            return try FormParameters(urlEncoded: try await request.body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw EnrollmentWebError.bodyTooLarge(limit: limit)
        }
    }

    /// `CertRequest` is PEM or base64 of a PKCS#10 or a CMC request; which one, the CA finds out.
    private func submit(_ form: FormParameters, _ context: AuthenticatedContext) async throws -> Response {
        let submission = EnrollmentSubmission(
            requestBytes: Array(try form.require("CertRequest").utf8), attributes: form["CertAttrib"] ?? "",
            caller: context.principal)
        let result = try await self.front.enrollment.submit(submission)
        return self.page(for: result, mode: .newRequest, context)
    }

    private func checkPending(_ form: FormParameters, _ context: AuthenticatedContext) async throws -> Response {
        let requestID = try FetchTarget.requestID(in: form)
        context.notes.update { notes in
            notes.mode = .checkPending
            notes.requestID = requestID
        }
        let result = try await self.front.enrollment.result(
            ofRequest: requestID, for: context.principal, response: .asRequested)
        return self.page(for: result, mode: .checkPending, context)
    }

    private func page(for result: EnrollmentResult, mode: RequestMode, _ context: AuthenticatedContext) -> Response {
        context.notes.record(result)
        let layout = PageLayout(caName: self.front.publications.caName)
        switch result.disposition {
        case .issued, .revoked, .caCertificate, .foreign:
            return .page(layout.page(heading: "Certificate Issued", IssuedPage(result: result).body()))
        case .pending:
            let page = PendingPage(result: result, stillPending: mode == .checkPending)
            return .page(layout.page(heading: PendingPage.heading, page.body()))
        case .denied:
            let page = DeniedPage(status: StatusText(result: result))
            return .page(layout.page(heading: DeniedPage.heading, page.body()))
        case .error, .active:
            let page = ErrorPage(result, mode: mode, reference: context.reference)
            return .page(layout.page(heading: ErrorPage.heading, page.body()))
        }
    }
}

extension ErrorPage {
    /// The page about a request that has no certificate to show.
    init(_ result: EnrollmentResult, mode: RequestMode, reference: String) {
        let status = StatusText(result: result)
        self.init(
            mode: mode.text, requestID: result.requestID, disposition: status.dispositionNumber,
            message: status.dispositionMessage, code: result.statusCode, reference: reference)
    }
}

extension RequestNotes {
    /// What the CA answered; the report of a failure is for the log of this machine.
    func record(_ result: EnrollmentResult) {
        self.update { notes in
            notes.requestID = result.requestID
            notes.disposition = "\(result.disposition)"
            notes.code = result.statusCode
            notes.failure = result.failure.map { ErrorReport($0).lines } ?? []
        }
    }
}
