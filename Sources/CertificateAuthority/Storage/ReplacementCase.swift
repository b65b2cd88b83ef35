package import Foundation

/// The replacement of a certificate whose key was lost: its revocation and the request for its successor.
///
/// Case and revocation are stored in one transaction; the request follows and names the case in its attributes, so
/// that a crash in between loses neither, and the case can be taken up again.
package struct ReplacementCase: Sendable, Equatable {
    /// The request attribute that names the case.
    package static let attributeName = "SignetCase"

    /// 0 until storage has given the number.
    package var caseID: Int64
    /// Of the certificate that was revoked.
    package var serialNumber: String
    package var requesterName: String
    package var templateName: String
    package var subject: String
    /// `CRLReason` number.
    package var reason: Int
    package var openedWhen: Date
    package var openedBy: String
    /// After this the successor is not asked for any more.
    package var deadline: Date
    /// The successor's request as it was handed in.
    package var requestBytes: [UInt8]
    /// The newest request when the case was opened: those of the case have higher numbers.
    package var lastRequestID: Int64
    /// The newest request of the case; `nil` before it was handed in.
    package var newRequestID: Int64?

    package init(
        caseID: Int64 = 0, serialNumber: String, requesterName: String, templateName: String, subject: String,
        reason: Int, openedWhen: Date, openedBy: String, deadline: Date, requestBytes: [UInt8], lastRequestID: Int64,
        newRequestID: Int64? = nil
    ) {
        self.caseID = caseID
        self.serialNumber = serialNumber
        self.requesterName = requesterName
        self.templateName = templateName
        self.subject = subject
        self.reason = reason
        self.openedWhen = openedWhen
        self.openedBy = openedBy
        self.deadline = deadline
        self.requestBytes = requestBytes
        self.lastRequestID = lastRequestID
        self.newRequestID = newRequestID
    }

    /// The attributes of the successor's request.
    var requestAttributes: String {
        "CertificateTemplate:\(self.templateName)\n\(ReplacementCase.attributeName):\(self.caseID)"
    }
}

/// How far a case is. It follows from the successor's request, so that an approval by anybody moves it on.
package enum ReplacementState: String, Sendable, Codable {
    /// Revoked; the successor was not asked for yet.
    case revoked
    case pending
    /// Done.
    case replaced
    /// The successor was denied or failed; another request can be handed in.
    case refused
}

/// A case with how far it is.
package struct ReplacementStatus: Sendable, Equatable {
    package var replacement: ReplacementCase
    package var state: ReplacementState
    /// Of the successor's request.
    package var dispositionMessage: String?
    /// The successor's serial number.
    package var newSerialNumber: String?
}

/// What can be read of cases. Part of ``StorageReading``.
package protocol ReplacementReading {
    func replacementCase(_ caseID: Int64) throws -> ReplacementCase?
    /// Newest first.
    func replacementCases(limit: Int) throws -> [ReplacementCase]
    /// The newest request that names a case, among those with a higher number than `requestID`.
    func request(ofCase caseID: Int64, after requestID: Int64) throws -> Int64?
}

/// What can be written of cases. Part of ``StorageWriting``.
package protocol ReplacementWriting: ReplacementReading {
    /// - Returns: the case's number.
    func insert(_ replacement: ReplacementCase) throws -> Int64
    func update(_ replacement: ReplacementCase) throws
}
