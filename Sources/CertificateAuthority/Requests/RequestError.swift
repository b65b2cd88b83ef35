package import Diagnostics
package import PKIMessages

/// A request, or an order about one, that cannot be followed.
package struct RequestError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// No request has that number.
        package static let unknownRequest = Code(rawValue: "unknownRequest")
        /// The request's disposition does not allow what was asked.
        package static let wrongStatus = Code(rawValue: "wrongStatus")
        /// The caller has not the role that the operation needs.
        package static let accessDenied = Code(rawValue: "accessDenied")
        /// The caller has two roles of which role separation allows one (0x80094008).
        package static let roleConflict = Code(rawValue: "roleConflict")
        /// The certificate manager is restricted to other requesters or templates (0x80094009).
        package static let restrictedManager = Code(rawValue: "restrictedManager")
        /// Too few certificate managers have approved the release of an archived key (0x80094009).
        package static let releaseNotApproved = Code(rawValue: "releaseNotApproved")
        /// No approval is needed for the release of archived keys.
        package static let releaseNotControlled = Code(rawValue: "releaseNotControlled")
        /// The caller may not enrol at this CA.
        package static let enrollmentDenied = Code(rawValue: "enrollmentDenied")
        /// This CA issued no certificate with that serial number.
        package static let unknownSerialNumber = Code(rawValue: "unknownSerialNumber")
        /// The certificate's revocation status does not allow what was asked.
        package static let wrongRevocationStatus = Code(rawValue: "wrongRevocationStatus")
        /// The reason for revocation is none for that certificate.
        package static let invalidRevocationReason = Code(rawValue: "invalidRevocationReason")
        /// A certificate cannot be replaced by what was handed in, or not any more.
        package static let unfitReplacement = Code(rawValue: "unfitReplacement")
        package static let unknownCase = Code(rawValue: "unknownCase")
        /// The CA stopped before the request had an outcome.
        package static let interrupted = Code(rawValue: "interrupted")
        /// The request attributes are longer than the database keeps.
        package static let attributesTooLong = Code(rawValue: "attributesTooLong")
    }

    package var code: Code
    package var operation: String
    package var reason: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]

    package var headline: String { "Could not \(self.operation): \(self.reason)." }

    package static func == (lhs: RequestError, rhs: RequestError) -> Bool { lhs.code == rhs.code }
}

extension RequestError {
    package static func unknownRequest(_ requestID: Int64, operation: String) -> RequestError {
        RequestError(
            code: .unknownRequest, operation: operation, reason: "there is no request \(requestID)",
            hresult: .propertyEmpty, facts: [Fact("request", "\(requestID)")],
            advice: ["Check the request number; the queue lists the requests that wait."])
    }

    package static func wrongStatus(
        _ requestID: Int64, is disposition: Disposition, operation: String
    ) -> RequestError {
        RequestError(
            code: .wrongStatus, operation: operation,
            reason: "request \(requestID) is \(disposition), and only a pending request can be approved or denied",
            hresult: .badRequestStatus,
            facts: [Fact("request", "\(requestID)"), Fact("disposition", "\(disposition)")],
            advice: ["Ask the requester to submit a new request."])
    }

    package static func enrollmentDenied(_ principal: Principal) -> RequestError {
        RequestError(
            code: .enrollmentDenied, operation: "submit a request",
            reason: "\(principal.name) may not enrol at this certification authority", hresult: .enrollDenied,
            facts: [Fact("user", principal.name)],
            advice: ["Have an administrator give the role enrollee to the user."])
    }

    package static func unknownSerialNumber(_ serialNumber: String, operation: String) -> RequestError {
        RequestError(
            code: .unknownSerialNumber, operation: operation,
            reason: "this certification authority issued no certificate with that serial number",
            hresult: .propertyEmpty, facts: [Fact("serial number", serialNumber)],
            advice: ["Compare the number with the output of openssl x509 -serial for the certificate."])
    }

    package static func wrongRevocationStatus(_ serialNumber: String, _ reason: String) -> RequestError {
        RequestError(
            code: .wrongRevocationStatus, operation: "change the revocation of a certificate", reason: reason,
            hresult: .badRequestStatus, facts: [Fact("serial number", serialNumber)],
            advice: ["Look the certificate's status up before you change it."])
    }

    package static func invalidRevocationReason(_ reason: CRLReason, _ serialNumber: String) -> RequestError {
        RequestError(
            code: .invalidRevocationReason, operation: "revoke a certificate",
            reason: reason == .cACompromise
                ? "the reason cACompromise is for certificates of certification authorities"
                : "the reason \(reason.name) is for attribute certificates, which this authority does not issue",
            hresult: .invalidParameter, facts: [Fact("serial number", serialNumber)],
            advice: ["Name keyCompromise for a key that others have."])
    }

    package static func interrupted(_ requestID: Int64) -> RequestError {
        RequestError(
            code: .interrupted, operation: "process request \(requestID)",
            reason: "the certification authority stopped before the request had an outcome, and nothing was issued",
            hresult: .operationAborted, facts: [Fact("request", "\(requestID)")],
            advice: ["Submit the request again."])
    }

    static func attributesTooLong(bytes: Int, limit: Int) -> RequestError {
        RequestError(
            code: .attributesTooLong, operation: "read the request attributes",
            reason: "they have \(bytes) bytes, and at most \(limit) are taken", hresult: .invalidData, facts: [],
            advice: ["Send only the attributes that the request needs."])
    }
}
