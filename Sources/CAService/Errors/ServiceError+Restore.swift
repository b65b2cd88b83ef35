import BackupSets
import Diagnostics

/// What can be wrong with a restore.
extension ServiceError {
    static func suspended(_ directory: String) -> ServiceError {
        ServiceError(
            code: .suspended, headline: "The instance \"\(directory)\" is being restored.", hresult: .serverSuspended,
            advice: ["Wait until the restore has ended."])
    }

    static func restoreInterrupted(_ directory: String) -> ServiceError {
        ServiceError(
            code: .suspended, headline: "The restore of the instance \"\(directory)\" was interrupted.",
            hresult: .serverSuspended, advice: ["Run `signet restore` again: it begins anew and leaves nothing half."])
    }

    static func instanceOpen(_ directory: String) -> ServiceError {
        ServiceError(
            code: .inUse, headline: "The instance \"\(directory)\" is in use, and cannot be replaced.",
            hresult: .alreadyExists, advice: ["Stop signetd and every command that works on it, then restore."])
    }

    static func targetExists(_ directory: String) -> ServiceError {
        ServiceError(
            code: .exists, headline: "There is an instance in \"\(directory)\", which is not replaced.",
            hresult: .fileExists,
            advice: ["Restore into an empty directory, or replace the instance with --force: it is kept beside."])
    }

    static func trustNeeded() -> ServiceError {
        ServiceError(
            code: .noTrustedCertificate,
            headline: "Nothing here says which CA's backup is to be trusted.", hresult: .untrustedRoot,
            advice: [
                "Name the SHA-256 of the CA certificate, or of one above it, as you know it: --authority-sha256."
            ])
    }
}

extension BackupError {
    /// The text of Certificate Services (protocols.md 3.2).
    static func incrementBeforeFull() -> BackupError {
        BackupError(
            code: Code(rawValue: "incrementBeforeFull"),
            headline: "Restore of an incremental image cannot be performed before you perform restore from a full "
                + "image.",
            hresult: .invalidDirectory, advice: ["Name the full backup together with its increments."])
    }
}
