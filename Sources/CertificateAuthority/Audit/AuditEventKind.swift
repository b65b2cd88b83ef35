/// Which part of the audit filter governs an event (protocols.md 7; certutil `CA\AuditFilter`).
package struct AuditFilter: OptionSet, Sendable, Hashable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let startAndStop = AuditFilter(rawValue: 0x01)
    package static let backupAndRestore = AuditFilter(rawValue: 0x02)
    package static let requests = AuditFilter(rawValue: 0x04)
    package static let revocation = AuditFilter(rawValue: 0x08)
    package static let securitySettings = AuditFilter(rawValue: 0x10)
    package static let archivedKeys = AuditFilter(rawValue: 0x20)
    package static let configuration = AuditFilter(rawValue: 0x40)
    package static let all = AuditFilter(rawValue: 0x7F)

    /// The words of the command line, in the order of the bits.
    package static let names: [(name: String, filter: AuditFilter)] = [
        ("start-stop", .startAndStop), ("backup-restore", .backupAndRestore), ("requests", .requests),
        ("revocation", .revocation), ("security", .securitySettings), ("archived-keys", .archivedKeys),
        ("configuration", .configuration),
    ]

    /// Where the instance keeps it.
    package static let setting = "audit.filter"

    /// - Parameter text: the setting's value; everything is recorded when it is not set.
    package init(setting text: String?) {
        self = text.flatMap(Int.init).map(AuditFilter.init(rawValue:)) ?? .all
    }

    /// Whether an event is written into the chain.
    package func records(_ id: AuditEventID) -> Bool {
        guard let kind = AuditEventKind.of(id), !kind.isAlwaysRecorded else { return true }
        return self.contains(kind.category)
    }
}

/// Text, category and fields of an event of the security log.
package struct AuditEventKind: Sendable {
    package let id: AuditEventID
    /// The sentence of the Windows Server 2003 security log, or ours.
    package let text: String
    package let category: AuditFilter
    /// Recorded whatever the filter says: the chain, the ledger of signatures or the settling of a crash needs it.
    package let isAlwaysRecorded: Bool
    /// The names of the data, in the order in which they are shown.
    package let fields: [String]

    private init(
        _ id: AuditEventID, _ category: AuditFilter, _ text: String, always: Bool = false, _ fields: [String] = []
    ) {
        self.id = id
        self.text = text
        self.category = category
        self.isAlwaysRecorded = always
        self.fields = fields
    }

    package static func of(_ id: AuditEventID) -> AuditEventKind? { AuditEventKind.byID[id] }

    private static let byID = Dictionary(uniqueKeysWithValues: AuditEventKind.all.map { ($0.id, $0) })

    private static let request = ["Request ID", "Requester", "Attributes", "Disposition", "SKI", "Subject"]
    private static let identity = [
        "Database Hash", "Key Usage Count", "CA Certificate Hash", "CA Public Key Hash",
    ]

    package static let all: [AuditEventKind] = [
        .init(
            .requestDenied, .requests, "The certificate manager denied a pending certificate request.", request),
        .init(
            .requestResubmitted, .requests, "Certificate Services received a resubmitted certificate request.",
            ["Request ID"]),
        .init(
            .certificateRevoked, .revocation, "Certificate Services revoked a certificate.",
            ["Serial Number", "Reason"]),
        .init(
            .crlRequested, .revocation,
            "Certificate Services received a request to publish the certificate revocation list (CRL).",
            ["Next Update", "Publish Base", "Publish Delta"]),
        .init(
            .crlPublished, .revocation, "Certificate Services published the certificate revocation list (CRL).",
            always: true, ["Base CRL", "CRL Number", "Key Container", "Next Publish", "Publish URLs"]),
        .init(
            .requestExtensionChanged, .requests, "A certificate request extension changed.",
            ["Request ID", "Name", "Type", "Flags", "Data"]),
        .init(
            .requestAttributesChanged, .requests, "One or more certificate request attributes changed.",
            ["Request ID", "Attributes"]),
        .init(.shutdownRequested, .startAndStop, "Certificate Services received a request to shut down."),
        .init(.backupStarted, .backupAndRestore, "Certificate Services backup started.", ["Backup Type"]),
        .init(.backupCompleted, .backupAndRestore, "Certificate Services backup completed."),
        .init(.restoreStarted, .backupAndRestore, "Certificate Services restore started."),
        .init(.restoreCompleted, .backupAndRestore, "Certificate Services restore completed."),
        .init(.serviceStarted, .startAndStop, "Certificate Services started.", identity),
        .init(.serviceStopped, .startAndStop, "Certificate Services stopped.", identity),
        .init(
            .permissionsChanged, .securitySettings,
            "The security permissions for Certificate Services changed.", ["Entry", "Name", "Roles"]),
        .init(
            .archivedKeyRetrieved, .archivedKeys, "Certificate Services retrieved an archived key.", ["Request ID"]),
        .init(
            .keyReleaseApproved, .archivedKeys, "A certificate manager approved the release of an archived key.",
            ["Request ID", "Requester"]),
        .init(
            .certificateImported, .archivedKeys, "Certificate Services imported a certificate into its database.",
            always: true, ["Certificate", "Request ID"]),
        .init(
            .auditFilterChanged, .securitySettings, "The audit filter for Certificate Services changed.",
            always: true, ["Filter"]),
        .init(
            .requestReceived, .requests, "Certificate Services received a certificate request.",
            ["Request ID", "Requester", "Attributes"]),
        .init(
            .certificateIssued, .requests,
            "Certificate Services approved a certificate request and issued a certificate.", always: true, request),
        .init(.policyDenied, .requests, "Certificate Services denied a certificate request.", request),
        .init(
            .requestPending, .requests, "Certificate Services set the status of a certificate request to pending.",
            request),
        .init(
            .managerSettingsChanged, .securitySettings,
            "The certificate manager settings for Certificate Services changed.", ["Enable", "Manager"]),
        .init(
            .configurationChanged, .configuration, "A configuration entry changed in Certificate Services.",
            ["Node", "Entry", "Value"]),
        .init(
            .propertyChanged, .configuration, "A property of Certificate Services changed.",
            ["Property", "Index", "Type", "Value"]),
        .init(
            .keyArchived, .archivedKeys, "Certificate Services archived a key.", always: true,
            ["Request ID", "Requester", "KRA Hashes", "Evidence SHA-256"]),
        .init(
            .keyImportedAndArchived, .archivedKeys, "Certificate Services imported and archived a key.",
            always: true, ["Request ID", "Serial Number", "KRA Hashes", "Evidence SHA-256"]),
        .init(
            .caCertificatePublished, .configuration,
            "Certificate Services published the CA certificate.", ["Certificate Hash", "Valid From", "Valid To"]),
        .init(
            .rowsDeleted, .configuration, "One or more rows have been deleted from the certificate database.",
            always: true, ["Table ID", "Filter", "Rows Deleted"]),
        .init(.roleSeparationChanged, .securitySettings, "Role separation enabled:", always: true, ["Enabled"]),
        .init(.templateLoaded, .configuration, "Certificate Services loaded a template."),
        .init(.templateUpdated, .configuration, "A Certificate Services template was updated."),
        .init(
            .templateSecurityUpdated, .securitySettings, "Certificate Services template security was updated."),
        .init(.tokenFailure, .requests, "A token refused or failed an operation.", always: true),
        .init(.intentSettled, .startAndStop, "Work that a crash had interrupted was settled.", always: true),
        .init(
            .wrongSignature, .requests,
            "A token returned a signature that does not verify; the key is out of use.", always: true),
        .init(
            .requestFailed, .requests, "A certificate request failed by a fault.",
            ["Request ID", "Requester", "Attributes", "Disposition", "Subject"]),
        .init(.keyGenerated, .configuration, "A key pair was made on a token.", always: true),
        .init(
            .keyImported, .configuration, "A private key that existed in software was imported onto a token.",
            always: true),
        .init(
            .keyCopied, .backupAndRestore,
            "A key of the CA was copied, encrypted, to another token or into a PKCS #12.", always: true),
        .init(
            .keyExtractionForbidden, .backupAndRestore, "A key of the CA was made non-extractable.", always: true),
        .init(.keyRetired, .configuration, "A key pair that nothing needs was removed from a token.", always: true),
        .init(.keyRemoved, .configuration, "A key pair that was made in vain was removed from a token.", always: true),
        .init(
            .messageSigned, .requests, "The CA key signed a message.", always: true,
            ["Number", "Purpose", "Request ID"]),
        .init(
            .auditHeadSigned, .startAndStop, "The CA key signed the head of the audit chain.", always: true,
            ["Number", "Sequence", "Hash"]),
        .init(.keyReleased, .securitySettings, "A stopped key was released.", always: true, ["Key"]),
        .init(
            .keyRewrapped, .archivedKeys, "An archived key was encrypted to other key recovery agents.", always: true,
            ["Request ID", "Cards", "KRA Hashes", "Previous KRA Hashes", "Evidence SHA-256"]),
        .init(
            .recoveryDrilled, .archivedKeys, "A sample of archived keys was recovered as a proof.",
            ["Cards", "Recovered", "Of other agents", "Failed"]),
        .init(
            .accessRefused, .securitySettings, "An operation was refused.", ["Operation", "Code", "Error"]),
        .init(
            .crlPublicationFailed, .revocation, "A certificate revocation list could not be brought to its places.",
            ["Base CRL", "CRL Number", "Places", "Error"]),
        .init(
            .replacementOpened, .revocation, "A certificate whose key was lost was revoked, to be replaced.",
            ["Case", "Serial Number", "Requester", "Until"]),
        .init(
            .replacementAnswered, .revocation, "The request for the successor of a replaced certificate was answered.",
            ["Case", "Request ID", "Disposition", "Status"]),
    ]
}
