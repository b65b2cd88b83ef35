package import Foundation

/// What happened, with the numbers of the Windows Server 2003 security log where it has one (protocols.md 7).
///
/// Text, category and fields of each: ``AuditEventKind``.
package struct AuditEventID: RawRepresentable, Hashable, Sendable, Codable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let requestDenied = AuditEventID(rawValue: 772)
    package static let requestResubmitted = AuditEventID(rawValue: 773)
    package static let certificateRevoked = AuditEventID(rawValue: 774)
    package static let crlRequested = AuditEventID(rawValue: 775)
    package static let crlPublished = AuditEventID(rawValue: 776)
    package static let requestExtensionChanged = AuditEventID(rawValue: 777)
    package static let requestAttributesChanged = AuditEventID(rawValue: 778)
    package static let shutdownRequested = AuditEventID(rawValue: 779)
    package static let backupStarted = AuditEventID(rawValue: 780)
    package static let backupCompleted = AuditEventID(rawValue: 781)
    package static let restoreStarted = AuditEventID(rawValue: 782)
    package static let restoreCompleted = AuditEventID(rawValue: 783)
    package static let serviceStarted = AuditEventID(rawValue: 784)
    package static let serviceStopped = AuditEventID(rawValue: 785)
    package static let permissionsChanged = AuditEventID(rawValue: 786)
    package static let archivedKeyRetrieved = AuditEventID(rawValue: 787)
    package static let certificateImported = AuditEventID(rawValue: 788)
    package static let auditFilterChanged = AuditEventID(rawValue: 789)
    package static let requestReceived = AuditEventID(rawValue: 790)
    package static let certificateIssued = AuditEventID(rawValue: 791)
    package static let policyDenied = AuditEventID(rawValue: 792)
    package static let requestPending = AuditEventID(rawValue: 793)
    package static let managerSettingsChanged = AuditEventID(rawValue: 794)
    package static let configurationChanged = AuditEventID(rawValue: 795)
    package static let propertyChanged = AuditEventID(rawValue: 796)
    package static let keyArchived = AuditEventID(rawValue: 797)
    package static let keyImportedAndArchived = AuditEventID(rawValue: 798)
    package static let caCertificatePublished = AuditEventID(rawValue: 799)
    package static let rowsDeleted = AuditEventID(rawValue: 800)
    package static let roleSeparationChanged = AuditEventID(rawValue: 801)
    /// Windows Server 2008 and later.
    package static let templateLoaded = AuditEventID(rawValue: 4898)
    package static let templateUpdated = AuditEventID(rawValue: 4899)
    package static let templateSecurityUpdated = AuditEventID(rawValue: 4900)
    /// Ours: a token refused or failed an operation.
    package static let tokenFailure = AuditEventID(rawValue: 10_001)
    /// Ours: an intent was found open at start.
    package static let intentSettled = AuditEventID(rawValue: 10_002)
    /// Ours: a signature that a token returned did not verify. The key is stopped.
    package static let wrongSignature = AuditEventID(rawValue: 10_003)
    /// Ours: a request failed by a fault.
    package static let requestFailed = AuditEventID(rawValue: 10_004)
    /// Ours: a signed CRL could not be brought to a place of publication.
    package static let crlPublicationFailed = AuditEventID(rawValue: 10_020)
    /// Ours: a certificate was revoked to be replaced.
    package static let replacementOpened = AuditEventID(rawValue: 10_021)
    /// Ours: the request for the successor of a replaced certificate was answered.
    package static let replacementAnswered = AuditEventID(rawValue: 10_022)
    /// Ours: an archived key was encrypted to other key recovery agents.
    package static let keyRewrapped = AuditEventID(rawValue: 10_050)
    /// Ours: a sample of archived keys was recovered as a proof.
    package static let recoveryDrilled = AuditEventID(rawValue: 10_051)
    /// Ours: a key pair was made on a token.
    package static let keyGenerated = AuditEventID(rawValue: 10_005)
    /// Ours: an operator took a key out of use and off its token.
    package static let keyRetired = AuditEventID(rawValue: 10_006)
    /// Ours: the CA key signed a message: a full response, a recovery blob, a certificate request.
    package static let messageSigned = AuditEventID(rawValue: 10_007)
    /// Ours: the head of the audit chain was signed.
    package static let auditHeadSigned = AuditEventID(rawValue: 10_008)
    /// Ours: an operator let a stopped key sign again.
    package static let keyReleased = AuditEventID(rawValue: 10_009)
    /// Ours: an operation was refused for want of a role, or by a conflict of roles.
    package static let accessRefused = AuditEventID(rawValue: 10_010)
    /// Ours: a key pair that was made in vain was removed from a token.
    package static let keyRemoved = AuditEventID(rawValue: 10_011)
    /// Ours: a private key that existed in software was brought onto a token.
    package static let keyImported = AuditEventID(rawValue: 10_012)
    /// Ours: a certificate manager consented to the release of an archived key.
    package static let keyReleaseApproved = AuditEventID(rawValue: 10_013)
    /// Ours: a CA key was copied to another token, or an imported one into a PKCS #12.
    package static let keyCopied = AuditEventID(rawValue: 10_014)
    /// Ours: an extractable CA key was made non-extractable.
    package static let keyExtractionForbidden = AuditEventID(rawValue: 10_015)
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
