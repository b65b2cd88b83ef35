import CAService
import Foundation
import Glibc
import Synchronization

/// Shows on standard error how far a long operation has come: a bar that is drawn anew on a terminal.
final class ProgressMeter: Sendable {
    private static let barColumns = 30
    /// Where there is no terminal, a line is written for so many keys.
    private static let keysOfLine = 100

    private let last = Mutex("")
    private let isTerminal = isatty(STDERR_FILENO) == 1

    @Sendable
    func show(_ progress: BackupProgress) {
        self.draw("\(progress.stage.rawValue): \(Self.bar(progress.done, of: progress.total))")
    }

    /// - Parameter total: `nil` when it is not known how many there are.
    func reached(keys done: Int, of total: Int? = nil) {
        guard total != 1 else { return }
        let text = total.map { "\(done) of \($0) keys" } ?? "\(done) keys"
        if !self.isTerminal, done.isMultiple(of: Self.keysOfLine) || done == total { Console.complain(text) }
        self.draw(total.map { "\(Self.bar(Int64(done), of: Int64($0)))  \(text)" } ?? text)
    }

    /// Says something in a line of its own.
    func complain(_ text: String) {
        self.finish()
        Console.complain(text)
    }

    /// Takes the bar away.
    func finish() {
        guard self.isTerminal, self.last.withLock({ !$0.isEmpty }) else { return }
        self.last.withLock { $0 = "" }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }

    deinit { self.finish() }

    private func draw(_ text: String) {
        guard self.isTerminal else { return }
        let isNew = self.last.withLock { last in
            defer { last = text }
            return last != text
        }
        if isNew { FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8)) }
    }

    private static func bar(_ done: Int64, of total: Int64) -> String {
        let (done, total) = (min(done, total), max(1, total))
        let full = Int(Int64(Self.barColumns) * done / total)
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: Self.barColumns - full)
        return "[\(bar)] \(100 * done / total) %"
    }
}
