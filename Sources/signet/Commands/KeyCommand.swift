import ArgumentParser
import CAService
import CertificateAuthority
import KeyArchival
import PKIMessages

/// `signet key find|approve|get|recover|put|evidence`
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Archived private keys: find, take the recovery blob, recover.",
        subcommands: [
            FindKey.self, ApproveKeyRelease.self, GetKey.self, RecoverKeys.self, PutKeyOnCard.self, KeyEvidence.self,
            ImportKeys.self, PackKeys.self, MergeKeys.self, InstallKeys.self, VerifyKeys.self,
            RewrapKeys.self, DrillRecovery.self,
        ])
}
