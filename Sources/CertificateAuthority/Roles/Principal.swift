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
}

/// Somebody who asks something of the CA, after authentication.
package struct Principal: Hashable, Sendable {
    /// `DOMAIN\user`, or a bare name.
    package var name: String
    package var roles: Set<Role>

    package init(name: String, roles: Set<Role>) {
        self.name = name
        self.roles = roles
    }

    /// The CA's own processes: start-up, timers, exchange certificates.
    package static let service = Principal(name: "SIGNET\\service", roles: [.administrator, .certificateManager])
}
