package import Foundation

/// What a notice says of a certificate that will expire.
package struct ExpiringCertificate: Sendable, Equatable {
    package var requestID: Int64
    package var serialNumber: String
    package var subject: String
    package var requesterName: String
    package var templateName: String?
    package var notAfter: Date

    package init(
        requestID: Int64, serialNumber: String, subject: String, requesterName: String, templateName: String?,
        notAfter: Date
    ) {
        self.requestID = requestID
        self.serialNumber = serialNumber
        self.subject = subject
        self.requesterName = requesterName
        self.templateName = templateName
        self.notAfter = notAfter
    }
}

/// What can be read for notices. Part of ``StorageReading``.
package protocol NoticeReading {
    /// Certificates that are not revoked and expire after one time and until another, in the order of that.
    func expiringCertificates(after: Date, until: Date, limit: Int) throws -> [ExpiringCertificate]
    /// What was noted with ``NoticeWriting/setNotice(_:step:to:)``.
    func notice(_ subject: String, step: Int) throws -> Int64?
}

/// What can be written for notices. Part of ``StorageWriting``.
package protocol NoticeWriting: NoticeReading {
    /// Notes how far the notices of a step have come.
    func setNotice(_ subject: String, step: Int, to value: Int64) throws
}
