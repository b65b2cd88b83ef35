/// A role of the certification authority (Windows Server 2003: CA administrator, certificate manager, auditor,
/// backup operator). A key recovery agent is not one of them: it is whoever holds the card.
package enum Role: String, Sendable, Codable, CaseIterable {
    case administrator
    /// Approves, denies and revokes; fetches recovery blobs.
    case certificateManager = "certificate-manager"
    case auditor
    case backupOperator = "backup-operator"
    /// May read the queue and published material.
    case reader
    /// May enrol.
    case enrollee

    /// The four of which nobody may hold two while role separation is enforced (protocols.md 7).
    package static let separated: Set<Role> = [.administrator, .certificateManager, .auditor, .backupOperator]
}

/// Somebody who asks something of the CA, after authentication.
package struct Principal: Hashable, Sendable {
    /// `DOMAIN\user`, or a bare name.
    package var name: String
    package var roles: Set<Role>
    /// Groups that the principal is a member of, by the instance's own list or the system's.
    package var groups: Set<String>
    /// True for the account on this machine that owns the instance's directory: the local administrator.
    package var isInstanceOwner: Bool
    /// Whether role separation was on when the principal was authenticated. The CA's own processes are exempt.
    package var isRoleSeparationEnforced: Bool

    package init(
        name: String, roles: Set<Role>, groups: Set<String> = [], isInstanceOwner: Bool = false,
        isRoleSeparationEnforced: Bool = false
    ) {
        self.name = name
        self.roles = roles
        self.groups = groups
        self.isInstanceOwner = isInstanceOwner
        self.isRoleSeparationEnforced = isRoleSeparationEnforced
    }

    /// The CA's own processes: start-up, timers, exchange certificates.
    package static let service = Principal(name: "SIGNET\\service", roles: [.administrator, .certificateManager])
}
