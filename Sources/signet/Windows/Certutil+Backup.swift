import BackupSets
import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SecretMemory

extension WindowsTool {
    static let backupVerbs: [WindowsVerb] = [
        WindowsVerb(
            "backup", "BackupDirectory [incremental] [keeplog]", "Backup Certificate Services", 1...3
        ) { try await $0.backUpAll() },
        WindowsVerb(
            "backupDB", "BackupDirectory [incremental] [keeplog]", "Backup the Certificate Services database", 1...3
        ) { try await $0.backUpDatabase() },
        WindowsVerb(
            "backupKey", "BackupDirectory", "Backup the Certificate Services certificate and private key", 1...1
        ) { try await $0.backUpKey() },
        WindowsVerb(
            "restore", "BackupDirectory [BackupDirectory...]", "Restore Certificate Services", 1...100,
            { try await $0.restoreAll() }, note: { restartNote }),
        WindowsVerb(
            "restoreDB", "BackupDirectory [BackupDirectory...]", "Restore the Certificate Services database", 1...100,
            { try await $0.restoreDatabase() }, note: { restartNote }),
        WindowsVerb(
            "restoreKey", "BackupDirectory | PFXFile",
            "Restore the Certificate Services certificate and private key", 1...1,
            { try await $0.restoreKey() }, note: { restartNote }),
    ]

    private static let restartNote = "The CertSvc service may need to be restarted for changes to take effect."
}

/// What stands behind the directory of a backup.
private struct BackupWords {
    let directory: String
    let isIncremental: Bool
    let keepsLog: Bool

    init(_ verb: String, _ values: [String]) throws {
        let words = values.dropFirst().map { $0.lowercased() }
        guard Set(words).isSubset(of: ["incremental", "keeplog"]), Set(words).count == words.count else {
            throw WindowsUsageError("-\(verb) takes BackupDirectory, incremental and keeplog")
        }
        self.directory = values[0]
        self.isIncremental = words.contains("incremental")
        self.keepsLog = words.contains("keeplog")
    }
}

extension WindowsSession {
    /// `-backup PASSWORD FILE`, as the Option Pack had it (Q185195): the keys alone, in a PKCS #12.
    private var hasOldForm: Bool {
        self.values.count == 2 && !["incremental", "keeplog"].contains(self.values[1].lowercased())
    }

    /// Keys that may be in a file first, and the database beside them, as Windows does.
    fileprivate func backUpAll() async throws {
        let instance = try await self.instanceToBackUp()
        if self.hasOldForm {
            let source = Result { try self.secretSource(self.values[0], of: "backup") }
            return try await self.backUpKeys(of: instance, to: self.values[1]) { try Self.newPassword(source.get()) }
        }
        let words = try BackupWords("backup", self.values)
        let password = try Self.newPassword(self.secretSource())
        let hasKeyFile = try await instance.keysMayBeInFile()
        if hasKeyFile {
            try BackupOrder.checkTarget(words.directory, replaces: self.isForced)
            try await self.backUpKeys(of: instance, in: words.directory) { password }
        }
        try await self.backUp(instance, words, password)
        guard !hasKeyFile else { return }
        Console.say("Keys of \(self.configurationText(instance)) stay on their tokens; the backup says which they are.")
    }

    fileprivate func backUpDatabase() async throws {
        let instance = try await self.instanceToBackUp()
        let words = try BackupWords("backupDB", self.values)
        try await self.backUp(instance, words, Self.newPassword(self.secretSource()))
    }

    fileprivate func backUpKey() async throws {
        let source = Result { try self.secretSource() }
        try await self.backUpKeys(of: self.instanceToBackUp(), in: self.values[0]) {
            try Self.newPassword(source.get())
        }
    }

    private func instanceToBackUp() async throws -> Instance {
        try await self.instance(for: .backUp, to: "back the CA up")
    }

    private static func newPassword(_ source: String) throws -> SecretBytes {
        try SecretInput.system.readNew(PINSource(source), what: "a password for the backup")
    }

    private func backUp(_ instance: Instance, _ words: BackupWords, _ password: SecretBytes) async throws {
        let authority = try await instance.authority(settling: false)
        let meter = ProgressMeter()
        Console.say(
            "\(words.isIncremental ? "Incremental" : "Full") database backup for \(self.configurationText(instance)).")
        let order = BackupOrder(
            directory: words.directory, recipients: try BackupRecipients(certificates: [], password: password),
            replaces: self.isForced, isIncremental: words.isIncremental, keepsLog: words.keepsLog,
            progress: meter.show)
        let made = try await authority.backUp(order, by: authority.localOperator())
        meter.finish()
        Console.say("Backed up database to \(made.directory).")
        Console.say(words.keepsLog ? "Database logs were preserved." : "Database logs successfully truncated.")
    }

    /// Makes the directory when there is none, and not for keys that stay on their tokens.
    private func backUpKeys(
        of instance: Instance, in directory: String, password: @escaping @Sendable () throws -> SecretBytes
    ) async throws {
        let file = directory + "/" + BackupLayout.keyFile(instance.configuration.name)
        try await self.backUpKeys(of: instance, to: file) {
            let password = try password()
            try FilePaths.makeDirectory(directory)
            return password
        }
    }

    private func backUpKeys(
        of instance: Instance, to file: String, password: @escaping @Sendable () throws -> SecretBytes
    ) async throws {
        _ = try await instance.writeKeys(
            KeyFileOrder(file: file, replaces: self.isForced, password: password), by: instance.localOperator())
        Console.say("Backed up keys and certificates for \(self.configurationText(instance)) to \(file).")
    }

    fileprivate func restoreAll() async throws {
        if self.hasOldForm, !FilePaths.exists(self.values[0] + "/" + BackupLayout.databaseDirectory) {
            let instance = try await self.instanceToRestore()
            return try await self.restoreKeys(
                of: instance, from: self.values[1], source: self.secretSource(self.values[0], of: "restore"))
        }
        try await self.restore()
    }

    fileprivate func restoreDatabase() async throws { try await self.restore() }

    fileprivate func restoreKey() async throws {
        let instance = try await self.instanceToRestore()
        var isDirectory: ObjCBool = false
        let name = self.values[0]
        _ = FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory)
        let file = isDirectory.boolValue ? name + "/" + BackupLayout.keyFile(instance.configuration.name) : name
        guard FilePaths.exists(file) else { throw BackupError.noBackup(name) }
        try await self.restoreKeys(of: instance, from: file, source: self.secretSource())
    }

    private func instanceToRestore() async throws -> Instance {
        try await self.instance(for: .restore, to: "restore the CA's keys")
    }

    private func restoreKeys(of instance: Instance, from file: String, source: String) async throws {
        let keys = try await instance.restoreKeys(
            from: FilePaths.readSecret(file),
            password: SecretInput.system.read(PINSource(source), what: "the password of \(file)"),
            by: instance.localOperator())
        Console.say("Restored keys and certificates for \(self.configurationText(instance)) from \(file).")
        for key in keys { key.tell() }
    }

    private func restore() async throws {
        let opener = BackupOpener.password(try self.password("the password of the backup"))
        let meter = ProgressMeter()
        let order = RestoreOrder(
            backups: self.values, instance: self.instanceDirectory, opener: opener, replaces: self.isForced,
            progress: meter.show)
        let outcome = try await RestoreSequence(Restoration(order, secrets: .interactive)).run()
        meter.finish()
        guard case .restored(let done) = outcome else {
            if case .waiting(let error) = outcome { Console.say("Database restore is suspended: \(error.headline)") }
            return
        }
        Console.say("Restored database for \(ProcessInfo.processInfo.hostName)\\\(done.manifest.authority).")
        for file in done.missingSecrets { Console.complain("Not in any backup, to be put there again: \(file)") }
        for key in done.keys { key.tell() }
        if let failed = done.keys.first(where: { $0.state == .failed }) {
            throw ServiceError.keyNotRestored(failed.name)
        }
    }
}

extension ServiceError {
    static func keyNotRestored(_ name: String) -> ServiceError {
        ServiceError(
            code: .keyNotNamed, headline: "The database is restored, and the \(name) does not work.",
            hresult: .noKeyContainer,
            advice: ["Connect its token, describe it in signet.yaml, and restore again with -f."])
    }
}
