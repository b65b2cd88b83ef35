package import BackupSets
import CertificateAuthority
import Diagnostics
import Foundation

/// The files of one backup, with the names that backups of Certificate Services have.
package enum BackupLayout {
    package static let databaseDirectory = "Database"
    package static let manifest = "Database/certbkxp.dat"

    /// The encrypted part of a full backup.
    static func fullPart(_ authority: String) -> String { "Database/\(CAName.sanitized(authority)).edb" }

    /// The encrypted part of an incremental one, by its place in the chain.
    static func incrementalPart(_ position: Int) -> String {
        let digits = String(position, radix: 16)
        return "Database/edb" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits + ".log"
    }

    /// The CA's certificates.
    static func certificates(_ authority: String) -> String { "\(CAName.sanitized(authority)).p7b" }

    static let keyFileSuffix = ".p12"

    /// The CA's keys, where they may be in a file.
    package static func keyFile(_ authority: String) -> String { CAName.sanitized(authority) + Self.keyFileSuffix }
}

extension BackupError {
    /// The text of Certificate Services (protocols.md 3.2).
    package static func noBackup(_ directory: String) -> BackupError {
        BackupError(
            code: .noBackup, headline: "The expected data does not exist in this directory.",
            hresult: .invalidDirectory, facts: [Fact("directory", directory)],
            advice: ["Name the directory in which `signet backup create` has made the backup."])
    }
}
