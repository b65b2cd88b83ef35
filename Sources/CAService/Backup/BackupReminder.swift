import CertificateAuthority

extension Instance {
    /// Index of the newest CA certificate that a finished full backup has.
    private static let backedUpCertificate = "backup.certificate-index"
    /// In its place: a backup is wanted that knows where the keys are.
    private static let nothingBackedUp = "-1"

    /// True until a full backup, or a PKCS #12 with its key, has the CA certificate in place: after the installation, and after
    /// each renewal.
    package func isBackupDue() async throws -> Bool {
        let (records, setting) = try await self.storage.read {
            (try $0.caCertificates(), try $0.setting(Self.backedUpCertificate))
        }
        guard let newest = records.filter({ $0.use == .own }).map(\.index).max() else { return false }
        return newest > setting.flatMap { Int($0) } ?? -1
    }

    /// Has a backup be due, whatever was backed up before: it does not know where the keys are now.
    static func askForBackup(_ db: any StorageWriting) throws {
        try db.setSetting(Self.backedUpCertificate, to: Self.nothingBackedUp)
    }

    /// Notes that a file has the key and the CA certificate. Who was asked for a backup that knows where keys are, still is.
    static func noteKeyFile(withCertificate index: Int, _ db: any StorageWriting) throws {
        guard try db.setting(Self.backedUpCertificate) != Self.nothingBackedUp else { return }
        try db.setSetting(Self.backedUpCertificate, to: "\(index)")
    }

    func noteBackedUp(certificateIndex: Int) async throws {
        try await self.storage.write { try $0.setSetting(Self.backedUpCertificate, to: "\(certificateIndex)") }
    }
}

extension InstalledCertificate {
    /// What is to be done now.
    package func backupAdvice(instance: String) -> String {
        "Now back the CA up, its database and its key: signet backup create --instance \(instance) --password prompt DIR"
    }
}
