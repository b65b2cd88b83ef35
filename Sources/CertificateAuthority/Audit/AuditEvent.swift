package import Foundation

/// What happened, with the numbers of the Windows Server 2003 security log where it has one (protocols.md 7).
package struct AuditEventID: RawRepresentable, Hashable, Sendable, Codable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let requestDenied = AuditEventID(rawValue: 772)
    package static let requestResubmitted = AuditEventID(rawValue: 773)
    package static let certificateRevoked = AuditEventID(rawValue: 774)
    package static let crlRequested = AuditEventID(rawValue: 775)
    package static let crlPublished = AuditEventID(rawValue: 776)
    package static let serviceStarted = AuditEventID(rawValue: 784)
    package static let serviceStopped = AuditEventID(rawValue: 785)
    package static let archivedKeyRetrieved = AuditEventID(rawValue: 787)
    package static let certificateImported = AuditEventID(rawValue: 788)
    package static let requestReceived = AuditEventID(rawValue: 790)
    package static let certificateIssued = AuditEventID(rawValue: 791)
    package static let policyDenied = AuditEventID(rawValue: 792)
    package static let requestPending = AuditEventID(rawValue: 793)
    package static let configurationChanged = AuditEventID(rawValue: 795)
    package static let keyArchived = AuditEventID(rawValue: 797)
    /// Ours: a token refused or failed an operation.
    package static let tokenFailure = AuditEventID(rawValue: 10_001)
    /// Ours: an intent was found open at start.
    package static let intentSettled = AuditEventID(rawValue: 10_002)
    /// Ours: a signature that a token returned did not verify. The key is stopped.
    package static let wrongSignature = AuditEventID(rawValue: 10_003)
    /// Ours: a request failed by a fault.
    package static let requestFailed = AuditEventID(rawValue: 10_004)
    /// Ours: a key pair was made on a token.
    package static let keyGenerated = AuditEventID(rawValue: 10_005)
    /// Ours: a key pair that was made in vain was removed from a token.
    package static let keyRemoved = AuditEventID(rawValue: 10_006)
}

/// An event to be recorded.
package struct AuditEvent: Sendable, Equatable {
    package var id: AuditEventID
    package var when: Date
    /// The principal's name.
    package var who: String
    /// Names and values, never secret.
    package var details: [String: String]

    package init(_ id: AuditEventID, when: Date, who: String, details: [String: String]) {
        self.id = id
        self.when = when
        self.who = who
        self.details = details
    }
}
