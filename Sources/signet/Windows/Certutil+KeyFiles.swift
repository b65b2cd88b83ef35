import CAService
import CertificateAuthority
import Diagnostics
import KeyArchival
import PKIMessages
import SecretMemory

extension WindowsTool {
    static let keyFileVerbs: [WindowsVerb] = [
        WindowsVerb(
            "ImportKMS", "File", "Archive the keys of a PKCS #12 or key container (-f: of other CAs' certificates)",
            1...1
        ) { try await $0.importKeys() },
        WindowsVerb(
            "ImportPFX", "PFXFile", "Put keys and certificates on a token, or into SIGNET_KEYS", 1...1
        ) { try await $0.importPFX() },
        WindowsVerb(
            "MergePFX", "PFXFile,PFXFile... PFXOutFile",
            "Merge PKCS #12 files (-p: a source each, the new file's last)",
            2...2
        ) { try $0.mergePFX() },
    ]
}

extension WindowsSession {
    /// Each key is reported by itself: as in Windows, keys that were not archived are counted and fail nothing.
    fileprivate func importKeys() async throws {
        let file = self.values[0]
        let authority = try await self.instance().authority()
        let who = try await authority.localOperator()
        let password = try KeyFile.needsPassword(file) ? [self.password("the password of \(file)")] : []
        let run = try KeyImportRun(
            importer: authority.keyImporter(isForced: self.isForced, for: who), passwords: password, journalPath: nil,
            by: who)
        Console.say("Processing KMS exports from:")
        Console.say("    \(file)")
        let counters = try await run.runTelling(file)
        if counters.keysArchived > 0 { await authority.vouchForKeys() }
        Console.say("")
        for line in counters.lines { Console.say(line) }
    }

    fileprivate func importPFX() async throws {
        let options = try self.tokenOptions()
        try await self.run(
            InstallKeys.self,
            options + (self.isForced ? ["--force"] : []) + ["--password", self.secretSource(), self.values[0]])
    }

    fileprivate func mergePFX() throws {
        let files = self.values[0].split(separator: ",").map(String.init)
        let output = self.values[1]
        try self.mustBeWritable(output)
        let sources = try self.secretSources(count: files.count + 1)
        let merge = try KeyMerge(
            files: files,
            passwords: zip(files, sources).map { try SecretInput.system.read($1, what: "the password of \($0)") })
        let password = try SecretInput.system.readNew(sources[files.count], what: "a password for \(output)")
        let made = try merge.pkcs12(password: password, protection: .modern)
        if self.isForced {
            try FilePaths.replace(output, secret: made)
        } else {
            try FilePaths.create(output, secret: made)
        }
    }

    /// As `-p` names them, separated by commas; `*` or nothing asks for each.
    ///
    /// - Throws: ``WindowsUsageError`` unless there are as many.
    private func secretSources(count: Int) throws -> [PINSource] {
        let text = self.arguments["p"] ?? "*"
        guard text != "*" else { return Array(repeating: .prompt, count: count) }
        let sources = try text.split(separator: ",", omittingEmptySubsequences: false).map {
            try PINSource(self.secretSource(String($0), of: "p"))
        }
        guard sources.count == count else {
            throw WindowsUsageError(
                "-p has \(sources.count) sources, and \(count) passwords are needed",
                advice: "Name one for each file, and that of the new file last; or -p *, which asks for each.")
        }
        return sources
    }
}
