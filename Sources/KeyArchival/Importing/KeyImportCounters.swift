/// What an import counts, under the names of the Windows Server 2003 tool.
package struct KeyImportCounters: Sendable, Equatable {
    package var users = 0
    package var ignoredSignatureCertificates = 0
    package var certificatesWithKeys = 0
    package var foreignCertificatesImported = 0
    package var certificatesNotImported = 0
    package var keysArchived = 0
    package var keysNotArchived = 0
    /// Ours: keys that an earlier run archived.
    package var keysArchivedBefore = 0

    package init() {}

    package mutating func count(_ outcome: KeyImporter.Outcome) {
        switch outcome.key {
        case .ignoredSignature: self.ignoredSignatureCertificates += 1
        case .archived, .wasArchived:
            self.certificatesWithKeys += 1
            if outcome.importedForeign { self.foreignCertificatesImported += 1 }
            if outcome.key == .archived { self.keysArchived += 1 } else { self.keysArchivedBefore += 1 }
        }
    }

    package mutating func countFailure(ofCertificate isCertificate: Bool) {
        self.certificatesWithKeys += 1
        self.keysNotArchived += 1
        if isCertificate { self.certificatesNotImported += 1 }
    }

    package mutating func add(_ other: KeyImportCounters) {
        self.users += other.users
        self.ignoredSignatureCertificates += other.ignoredSignatureCertificates
        self.certificatesWithKeys += other.certificatesWithKeys
        self.foreignCertificatesImported += other.foreignCertificatesImported
        self.certificatesNotImported += other.certificatesNotImported
        self.keysArchived += other.keysArchived
        self.keysNotArchived += other.keysNotArchived
        self.keysArchivedBefore += other.keysArchivedBefore
    }

    /// `Name: n` lines in the order of the white paper; those that are optional there only when they are not zero.
    package var lines: [String] {
        var lines = ["Users: \(self.users)"]
        func add(_ name: String, _ count: Int) { if count > 0 { lines.append("\(name): \(count)") } }
        add("Ignored signature certificates", self.ignoredSignatureCertificates)
        lines.append("Certificates with keys: \(self.certificatesWithKeys)")
        add("Foreign certificates imported", self.foreignCertificatesImported)
        add("Certificates not imported", self.certificatesNotImported)
        add("Certificates imported", self.certificatesWithKeys - self.certificatesNotImported)
        lines.append("Keys: \(self.certificatesWithKeys)")
        add("Keys not archived", self.keysNotArchived)
        add("Keys archived before", self.keysArchivedBefore)
        add("Keys archived", self.keysArchived)
        return lines
    }
}
