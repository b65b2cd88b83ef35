package import CertificateAuthority
import Diagnostics
import Foundation
package import PKIMessages

/// A requester at an enrolment service (`/certsrv`): a `signetd`, or a Windows certification authority.
package struct CertsrvClient: Sendable {
    private let http: HTTPClient

    /// - Parameter url: `https://HOST[:PORT]/certsrv`.
    /// - Throws: ``ServiceError`` for what is no address, or a password without TLS.
    package init(url: String, credentials: HTTPCredentials?, trust: HTTPTrust) throws {
        self.http = try HTTPClient(HTTPAddress(url), credentials: credentials, trust: trust)
    }

    /// Hands a request in. Never repeated by itself: the service may have taken it, though its answer was lost.
    ///
    /// - Parameters:
    ///   - request: DER.
    ///   - attributes: `Name:Value` lines.
    /// - Throws: ``ServiceError``: `serviceUnreachable`, `answerLost`, `serviceRefused`, `unknownAnswer`.
    package func submit(_ request: [UInt8], attributes: String) async throws -> EnrollmentResult {
        let answer = try await self.answering(isSubmission: true) {
            try await self.http.post(
                "/certfnsh.asp",
                form: [
                    ("Mode", "newreq"), ("CertRequest", TextEncoding.pem(request, label: "CERTIFICATE REQUEST")),
                    ("CertAttrib", attributes), ("TargetStoreFlags", "0"), ("SaveCert", "yes"),
                ])
        }
        return try await self.result(CertsrvPage(self.text(answer)))
    }

    /// What became of a request.
    package func result(ofRequest requestID: Int64) async throws -> EnrollmentResult {
        let answer = try await self.answering {
            try await self.http.post("/certfnsh.asp", form: [("Mode", "chkpnd"), ("ReqID", "\(requestID)")])
        }
        var result = try await self.result(CertsrvPage(self.text(answer)))
        if result.requestID == 0 { result.requestID = requestID }
        return result
    }

    /// The chain of an issued certificate, its own first as far as the service sorts.
    package func chain(ofRequest requestID: Int64) async throws -> [CertificateFields] {
        try await self.certificates("/certnew.p7b?ReqID=\(requestID)&Enc=bin")
    }

    /// The CA's own certificate and those above it.
    package func authorityChain() async throws -> [CertificateFields] {
        try await self.certificates("/certnew.p7b?ReqID=CACert&Enc=bin")
    }

    private func certificates(_ path: String) async throws -> [CertificateFields] {
        let answer = try await self.answering { try await self.http.get(path) }
        do {
            return try SignedData(contentInfoDER: answer.body).certificates.map {
                try CertificateFields(derEncoded: $0)
            }
        } catch let error as PKIMessageError {
            throw ServiceError.unknownAnswer(error.headline)
        }
    }

    private func result(_ page: CertsrvPage) async throws -> EnrollmentResult {
        var result = EnrollmentResult(
            requestID: page.requestID ?? 0, disposition: page.disposition, statusCode: page.statusCode,
            dispositionMessage: page.message, fullResponseDER: page.fullResponse)
        guard page.disposition == .issued, let number = page.requestID else { return result }
        let answer = try await self.answering { try await self.http.get("/certnew.cer?ReqID=\(number)&Enc=bin") }
        result.certificateDER = try CertificateFields(derEncoded: answer.body).derBytes
        return result
    }

    private func text(_ answer: HTTPAnswer) throws -> String {
        guard let text = String(validating: answer.body, as: UTF8.self) else {
            throw ServiceError.unknownAnswer("it is not UTF-8 text")
        }
        return text
    }

    private func answering(
        isSubmission: Bool = false, _ ask: () async throws -> HTTPAnswer
    ) async throws -> HTTPAnswer {
        let service = "\(self.http.address.host):\(self.http.address.port)"
        let answer: HTTPAnswer
        do {
            answer = try await ask()
        } catch let failure as HTTPFailure {
            switch failure {
            case .unreachable(let why): throw ServiceError.serviceUnreachable(service, why)
            case .notTrusted(let why): throw ServiceError.serviceNotTrusted(service, why)
            case .broken, .timedOut, .malformed: throw ServiceError.answerLost(service, "\(failure)", isSubmission)
            }
        }
        guard answer.status == 200 else { throw ServiceError.serviceRefused(service, status: answer.status) }
        return answer
    }
}

extension ServiceError {
    fileprivate static func serviceUnreachable(_ service: String, _ reason: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "serviceUnreachable"),
            headline: "Could not reach the enrolment service at \(service): \(reason). Nothing was sent.",
            hresult: .timeout, advice: ["Check the address, and that the service runs."])
    }

    fileprivate static func serviceNotTrusted(_ service: String, _ reason: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "serviceNotTrusted"),
            headline: "The enrolment service at \(service) is not trusted: \(reason). Nothing was sent.",
            hresult: .untrustedRoot,
            advice: [
                "Name the root of the service's TLS certificate with --tls-trust, and the service by a name in it."
            ])
    }

    fileprivate static func answerLost(_ service: String, _ reason: String, _ isSubmission: Bool) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "answerLost"),
            headline: "The answer of the enrolment service at \(service) did not arrive whole: \(reason).",
            hresult: .timeout,
            advice: isSubmission
                ? ["Ask the CA whether it has the request before you submit it again: it may have taken it."]
                : ["Ask again."])
    }

    fileprivate static func serviceRefused(_ service: String, status: Int) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "serviceRefused"),
            headline: "The enrolment service at \(service) refused with HTTP status \(status).",
            hresult: [401, 403].contains(status) ? .accessDenied : .genericFailure,
            advice: [
                status == 401
                    ? "Check --user and --password." : "Look into the service's log, and check the address's path."
            ])
    }

    static func unknownAnswer(_ reason: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "unknownAnswer"),
            headline: "The answer of the enrolment service cannot be read: \(reason).", hresult: .invalidData,
            advice: ["Check that the address ends with /certsrv."])
    }
}
