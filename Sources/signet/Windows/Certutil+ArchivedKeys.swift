import CAService
import CertificateAuthority
import Diagnostics
import KeyArchival
import PKIMessages

extension WindowsTool {
    static let archivedKeyVerbs: [WindowsVerb] = [
        WindowsVerb(
            "GetKey", "SearchToken [RecoveryBlobOutFile]", "Retrieve archived private key recovery blob", 1...2
        ) { try await $0.getKey() },
        WindowsVerb(
            "RecoverKey", "RecoveryBlobInFile [PFXOutFile]", "Recover archived private key", 1...2
        ) { try await $0.recoverKey() },
    ]
}

extension WindowsSession {
    fileprivate func getKey() async throws {
        let instance = try self.instance()
        let found = try await instance.archivedKeys(matching: self.values[0], for: instance.localOperator())
        let output = self.values.dropFirst().first
        if let output { try self.mustBeWritable(output) }
        let listing = ArchivedKeyBatch(authority: self.configurationText(instance), keys: found, time: self.time)
        guard let key = found.first else {
            Console.say(listing.querying)
            throw ArchivalError.nothingFound(self.values[0])
        }
        guard found.count == 1, let output else {
            let isBatch = output == nil && (self.isVerbose || found.count > 1)
            for line in isBatch ? listing.batch : listing.listing { Console.say(line) }
            guard found.count == 1 else { throw ArchivalError.ambiguousName(self.values[0], found) }
            if !isBatch { try await self.sayAgents(instance) }
            throw NoOutputFile()
        }
        Console.say(listing.querying)
        Console.say("")
        Console.say(listing.title)
        Console.say("  \(key.serialNumber.lowercased())  \(key.subject)")
        let authority = try await instance.authority(for: .records)
        let blob = try await authority.recoveryBlob(matching: self.values[0], by: authority.localOperator())
        try self.write(output, blob.der, mode: 0o600)
    }

    /// Who can open the only key that fits.
    private func sayAgents(_ instance: Instance) async throws {
        let known = try await instance.agents(ofKeyMatching: self.values[0], for: instance.localOperator())
        for agent in known.agents { Console.say("  Recovery agent: \(agent)") }
    }

    fileprivate func recoverKey() async throws {
        var options = try self.tokenOptions() + ["--ca-certificates", self.trustedCertificates()]
        if let limit = self.arguments["t"] { options += ["--timeout", limit] }
        guard let output = self.values.dropFirst().first else {
            _ = try AgentRecovery(
                [.init(file: self.values[0])], authorityPEM: FilePaths.read(self.trustedCertificates()),
                show: WindowsSession.sayRecipients)
            return
        }
        options += ["--password", try self.secretSource(), "--out", output, self.values[0]]
        try await self.run(RecoverCommand.self, options)
    }

    private static func sayRecipients(_ blob: AgentRecovery.Blob) {
        Console.say("Key of: \(blob.subject) (serial number \(blob.serialNumber.lowercased()))")
        for (index, recipient) in blob.recipients.enumerated() {
            Console.say("Recipient Info[\(index)]:")
            Console.say("  \(recipient)")
        }
    }
}

/// One key fits, and there is no file for its blob; 0x8002802c as in Windows.
private struct NoOutputFile: DiagnosableError {
    var headline: String { "The recovery blob was not retrieved: no file for it is named." }
    var hresult: HRESULT { .ambiguousName }
    var advice: [Advice] { ["Name the file behind the search term."] }
}
