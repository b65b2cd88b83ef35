/// Where things are inside an instance's directory.
package struct InstanceLayout: Sendable {
    static let databaseName = "signet.sqlite"

    package let directory: String

    package init(directory: String) {
        self.directory = directory
    }

    package var configurationPath: String { self.directory + "/signet.yaml" }
    /// Unless the configuration names another place: ``Instance/databasePath``.
    package var databasePath: String { self.directory + "/" + Self.databaseName }
    package var lockPath: String { self.directory + "/signetd.lock" }
    /// Locked by everybody who has the instance open, and by a restore against them.
    var useLockPath: String { self.directory + "/instance.lock" }
    /// Is there while an instance is restored, and after a restore that was interrupted: such an instance never opens.
    package var restoreMarkerPath: String { self.directory + "/RESTOREINPROGRESS" }
    /// ``RestoreSequence``.
    var restoreSequencePath: String { self.directory + "/restore-sequence.json" }
    /// Is there when the CA was moved away: such an instance does not open.
    var retirementPath: String { self.directory + "/RETIRED" }
    /// Where an instance is restored before it takes its place.
    package var restoreDirectory: String { self.directory + ".restoring" }
    /// ``InstanceIdentifier``.
    var identifierPath: String { self.directory + "/instance-id" }
    package var templatesDirectory: String { self.directory + "/templates" }
    package var enabledTemplatesPath: String { self.directory + "/enabled-templates.yaml" }
    package var requesterDirectoryPath: String { self.directory + "/directory.yaml" }
    package var publicationDirectory: String { self.directory + "/publish" }
    /// CRLs that are too large for the database.
    package var largeListDirectory: String { self.directory + "/crl" }
}
