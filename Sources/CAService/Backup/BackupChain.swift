import BackupSets
import Diagnostics

/// A full backup and the increments that follow it, without a gap.
struct BackupChain: Sendable {
    let full: BackupSet
    /// In the order in which they were made.
    let increments: [BackupSet]

    /// - Parameter sets: in any order.
    /// - Throws: `BackupError`: `incrementBeforeFull` (0x8007010b) without a full backup, `foreign` for one of another chain,
    ///   `missing` for a gap.
    init(_ sets: [BackupSet]) throws {
        let fulls = sets.filter { $0.manifest.kind == .full }
        guard let full = fulls.first else { throw BackupError.incrementBeforeFull() }
        if let other = fulls.dropFirst().first {
            throw BackupError.foreign(other.directory, "\"\(full.directory)\" is a full backup, too")
        }
        let increments = sets.compactMap { set in set.manifest.link.map { (set, $0) } }
            .sorted { $0.1.position < $1.1.position }
        for (number, (set, link)) in increments.enumerated() {
            guard link.base == full.manifest.backupID, set.manifest.authoritySHA256 == full.manifest.authoritySHA256
            else { throw BackupError.foreign(set.directory, "it follows another full backup") }
            guard set.manifest.migrations == full.manifest.migrations else {
                throw BackupError.foreign(set.directory, "its tables are those of another version of the program")
            }
            guard link.position == number + 1 else {
                guard link.position > number + 1 else {
                    throw BackupError.foreign(set.directory, "another increment has the same place")
                }
                throw BackupError.gap(number + 1, before: set.directory)
            }
            // Of two at one place, one may end earlier: that of a backup that was made with the log kept.
            let before = number == 0 ? full : increments[number - 1].0
            guard link.after <= before.manifest.changeNumber else {
                throw BackupError.foreign(
                    set.directory,
                    "it has the changes after number \(link.after), and \"\(before.directory)\" ends with number "
                        + "\(before.manifest.changeNumber)")
            }
        }
        self.full = full
        self.increments = increments.map(\.0)
    }

    var sets: [BackupSet] { [self.full] + self.increments }
    /// The newest one, which tells how far the CA had come.
    var last: BackupSet { self.increments.last ?? self.full }
}

extension BackupError.Code {
    static let missingIncrement = BackupError.Code(rawValue: "missingIncrement")
}

extension BackupError {
    fileprivate static func gap(_ position: Int, before directory: String) -> BackupError {
        BackupError(
            code: .missingIncrement,
            headline: "Increment \(position) of the chain is missing.", hresult: .invalidDirectory,
            facts: [Fact("needed by", directory)],
            advice: ["Name the directory of that increment, too, or leave out those that follow it."])
    }
}
