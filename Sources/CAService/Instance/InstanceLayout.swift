/// Where things are inside an instance's directory.
package struct InstanceLayout: Sendable {
    package let directory: String

    package init(directory: String) {
        self.directory = directory
    }

    package var configurationPath: String { self.directory + "/signet.yaml" }
    /// Unless the configuration names another place: ``Instance/databasePath``.
    package var databasePath: String { self.directory + "/signet.sqlite" }
    package var lockPath: String { self.directory + "/signetd.lock" }
    package var templatesDirectory: String { self.directory + "/templates" }
    package var enabledTemplatesPath: String { self.directory + "/enabled-templates.yaml" }
    package var requesterDirectoryPath: String { self.directory + "/directory.yaml" }
    package var publicationDirectory: String { self.directory + "/publish" }
    /// CRLs that are too large for the database.
    package var largeListDirectory: String { self.directory + "/crl" }
}
