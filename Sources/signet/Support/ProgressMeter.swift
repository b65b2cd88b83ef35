import CAService
import Foundation
import Glibc
import Synchronization

/// Shows on standard error how far a long operation has come, where that is a terminal.
final class ProgressMeter: Sendable {
    private let last = Mutex("")
    private let isTerminal = isatty(STDERR_FILENO) == 1

    @Sendable
    func show(_ progress: BackupProgress) {
        guard self.isTerminal else { return }
        let text = "\(progress.stage.rawValue): \(progress.done * 100 / max(1, progress.total)) %"
        let isNew = self.last.withLock { last in
            defer { last = text }
            return last != text
        }
        if isNew { FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8)) }
    }

    /// Takes the line away.
    func finish() {
        guard self.isTerminal, self.last.withLock({ !$0.isEmpty }) else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }
}
