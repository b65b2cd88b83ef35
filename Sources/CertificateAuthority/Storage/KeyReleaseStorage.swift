package import Foundation

/// A certificate manager's consent to the release of one archived key.
package struct KeyReleaseApproval: Sendable, Equatable {
    package var requestID: Int64
    /// The principal's name.
    package var manager: String
    package var approvedWhen: Date

    package init(requestID: Int64, manager: String, approvedWhen: Date) {
        self.requestID = requestID
        self.manager = manager
        self.approvedWhen = approvedWhen
    }
}

/// What can be read of approvals. Part of ``StorageReading``.
package protocol KeyReleaseReading {
    /// One a manager, used ones not among them, expired ones too.
    func releaseApprovals(ofRequest requestID: Int64) throws -> [KeyReleaseApproval]
}

/// What can be written of approvals. Part of ``StorageWriting``.
package protocol KeyReleaseWriting: KeyReleaseReading {
    /// Takes the place of the manager's earlier one.
    func upsert(_ approval: KeyReleaseApproval) throws
    func removeReleaseApprovals(ofRequest requestID: Int64) throws
}
