package import Diagnostics

/// Why a backup cannot be read or used. Nothing was changed.
///
/// Equality is on ``code`` only.
package struct BackupError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// There is no backup where one was looked for.
        package static let noBackup = Code(rawValue: "noBackup")
        /// A file that is something else.
        package static let notAPart = Code(rawValue: "notAPart")
        package static let truncated = Code(rawValue: "truncated")
        /// Bytes that are not those which were written.
        package static let changed = Code(rawValue: "changed")
        /// Of another backup or another CA than the one that was asked for.
        package static let foreign = Code(rawValue: "foreign")
        /// Made by a newer version of the program.
        package static let newerFormat = Code(rawValue: "newerFormat")
        /// Neither the password nor a key opens it.
        package static let notOpened = Code(rawValue: "notOpened")
        /// Encrypted to nobody, or to a key that cannot decrypt.
        package static let noRecipient = Code(rawValue: "noRecipient")
    }

    package var code: Code
    package var headline: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]

    package init(code: Code, headline: String, hresult: HRESULT, facts: [Fact] = [], advice: [Advice]) {
        self.code = code
        self.headline = headline
        self.hresult = hresult
        self.facts = facts
        self.advice = advice
    }

    package static func == (lhs: BackupError, rhs: BackupError) -> Bool { lhs.code == rhs.code }
}

extension BackupError {
    private static let otherCopy: Advice = "Take another copy of the backup, and check the medium that this one is on."

    static func notAPart(_ part: String) -> BackupError {
        BackupError(
            code: .notAPart, headline: "\"\(part)\" is not part of a backup.", hresult: .invalidData,
            advice: ["Name the directory that `signet backup create` has made, as it was made."])
    }

    package static func truncated(_ part: String, at byte: Int64) -> BackupError {
        BackupError(
            code: .truncated, headline: "\"\(part)\" ends too early.", hresult: .invalidData,
            facts: [Fact("bytes there", "\(byte)")], advice: [self.otherCopy])
    }

    package static func changed(_ part: String, _ what: String) -> BackupError {
        BackupError(
            code: .changed, headline: "\"\(part)\" was changed or damaged after it was written: \(what).",
            hresult: .hashValue, advice: [self.otherCopy])
    }

    package static func foreign(_ part: String, _ what: String) -> BackupError {
        BackupError(
            code: .foreign, headline: "\"\(part)\" belongs to another backup: \(what).", hresult: .invalidData,
            advice: ["Keep the files of each backup in the directory in which they were made."])
    }

    static func newerFormat(_ part: String, _ version: Int) -> BackupError {
        BackupError(
            code: .newerFormat, headline: "\"\(part)\" has format \(version), which this version does not know.",
            hresult: .notSupported, advice: ["Use the version of the program that has made the backup, or a newer one."]
        )
    }

    package static func notOpened(_ part: String, _ why: String) -> BackupError {
        BackupError(
            code: .notOpened, headline: "\"\(part)\" does not open: \(why).", hresult: .invalidPassword,
            advice: ["Give the password that the backup was made with, or the token with a recipient's key."])
    }

    static func noRecipient(_ why: String) -> BackupError {
        BackupError(
            code: .noRecipient, headline: "The backup cannot be encrypted: \(why).", hresult: .invalidParameter,
            advice: ["Name a password source, or certificates with RSA keys that may encipher keys."])
    }
}
