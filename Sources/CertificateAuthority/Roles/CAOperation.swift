/// Something that can be asked of the CA and that not everybody may ask.
///
/// The raw value is the name that `signet role matrix` prints. Who may what is ``rule``: one table, for every caller
/// (command line, web front, embedding program) alike.
package enum CAOperation: String, Sendable, Codable, CaseIterable {
    // Requesters and readers.
    case enroll = "enroll"
    case readRequests = "read-requests"
    case getExchangeCertificate = "get-exchange-certificate"
    case readConfiguration = "read-configuration"
    case readPermissions = "read-permissions"
    // Certificate managers.
    case approveRequest = "approve-request"
    case denyRequest = "deny-request"
    case resubmitRequest = "resubmit-request"
    case setRequestAttributes = "set-request-attributes"
    case setRequestExtension = "set-request-extension"
    case revokeCertificate = "revoke-certificate"
    case retrieveArchivedKey = "retrieve-archived-key"
    case approveKeyRelease = "approve-key-release"
    case importArchivedKey = "import-archived-key"
    case importCertificate = "import-certificate"
    // CA administrators.
    case configure = "configure"
    case changePermissions = "change-permissions"
    case restrictManagers = "restrict-managers"
    case manageTemplates = "manage-templates"
    case manageRecoveryAgents = "manage-recovery-agents"
    case manageCACertificates = "manage-ca-certificates"
    case manageWebServer = "manage-web-server"
    case publishCRL = "publish-crl"
    case resubmitDeniedRequest = "resubmit-denied-request"
    case releaseKey = "release-key"
    // Administrator and certificate manager in one person.
    case deleteRows = "delete-rows"
    // Backup operators.
    case backUp = "back-up"
    case restore = "restore"
    // Auditors.
    case changeAuditFilter = "change-audit-filter"
    case readAudit = "read-audit"
    case signAuditHead = "sign-audit-head"
    // The owner of the instance on this machine.
    case setRoleSeparation = "set-role-separation"
    // Nobody by a role: whoever holds the card.
    case openArchivedKey = "open-archived-key"
}

/// Who may carry out an operation.
package struct OperationRule: Sendable, Equatable {
    /// Any one of them suffices, unless ``needsAllRoles``.
    package var roles: Set<Role>
    package var needsAllRoles = false
    /// The owner of the instance may, too, whatever roles they have.
    package var ownerMay = false
    /// What decides instead, where no role does.
    package var otherwise: String?

    package init(
        _ roles: Set<Role>, needsAllRoles: Bool = false, ownerMay: Bool = false, otherwise: String? = nil
    ) {
        self.roles = roles
        self.needsAllRoles = needsAllRoles
        self.ownerMay = ownerMay
        self.otherwise = otherwise
    }

    func isSatisfied(by roles: Set<Role>) -> Bool {
        self.needsAllRoles ? self.roles.isSubset(of: roles) : !self.roles.isDisjoint(with: roles)
    }
}

extension CAOperation {
    /// The table (MS-CSRA 3.1.1.7 and the access checks of its methods; protocols.md 7).
    package var rule: OperationRule {
        switch self {
        case .enroll: OperationRule([.enrollee, .administrator])
        case .readRequests: OperationRule([.reader, .certificateManager, .administrator, .auditor])
        // To make a new one signs, and costs a key on the token.
        case .getExchangeCertificate: OperationRule([.enrollee, .reader, .certificateManager, .administrator])
        case .readConfiguration:
            OperationRule([.reader, .certificateManager, .administrator, .auditor, .backupOperator])
        // Under role separation nobody could see which roles are in conflict, if it were not for the owner.
        case .readPermissions:
            OperationRule([.reader, .certificateManager, .administrator, .auditor], ownerMay: true)
        case .approveRequest, .denyRequest, .resubmitRequest, .setRequestAttributes, .setRequestExtension,
            .revokeCertificate, .retrieveArchivedKey, .approveKeyRelease, .importArchivedKey, .importCertificate:
            OperationRule([.certificateManager])
        case .configure, .restrictManagers, .manageTemplates, .manageRecoveryAgents, .manageCACertificates,
            .manageWebServer, .publishCRL, .resubmitDeniedRequest, .releaseKey:
            OperationRule([.administrator])
        // The owner can always give roles: nobody else could after the last administrator has gone.
        case .changePermissions: OperationRule([.administrator], ownerMay: true)
        case .deleteRows: OperationRule([.administrator, .certificateManager], needsAllRoles: true)
        case .backUp, .restore: OperationRule([.backupOperator])
        case .changeAuditFilter, .readAudit, .signAuditHead: OperationRule([.auditor, .administrator])
        case .setRoleSeparation: OperationRule([], ownerMay: true)
        case .openArchivedKey: OperationRule([], otherwise: "the holder of a key recovery agent's card")
        }
    }
}
