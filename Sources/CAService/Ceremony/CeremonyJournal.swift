import Foundation

/// The transcript while it is being written: a line of JSON a step, each on the disk before the next step begins, so that
/// an interruption loses nothing and the ceremony goes on where it stopped.
struct CeremonyJournal {
    let head: CeremonyTranscript.Head
    private(set) var steps: [CeremonyTranscript.Step]
    private let file: AppendedFile

    /// - Throws: ``ServiceError`` with code `exists` when there is one already.
    init(creating path: String, head: CeremonyTranscript.Head) throws {
        self.head = head
        self.steps = []
        self.file = try AppendedFile(creating: path)
        try self.append(head)
    }

    /// Takes up the journal of a ceremony that was interrupted.
    ///
    /// - Throws: ``ServiceError`` with code `unreadable`, also when it is of another script.
    init(resuming path: String, scriptSHA256: String) throws {
        var reader = try LineReader(path)
        var lines: [[UInt8]] = []
        while let line = try reader.next() { if !line.isEmpty { lines.append(line) } }
        do {
            let decoder = JSONDecoder()
            self.head = try decoder.decode(CeremonyTranscript.Head.self, from: Data(lines.first ?? []))
            self.steps = []
            for (index, line) in lines.dropFirst().enumerated() {
                do {
                    self.steps.append(try decoder.decode(CeremonyTranscript.Step.self, from: Data(line)))
                } catch  where index == lines.count - 2 {
                    // Power was lost in the middle of the last line: that step is done again.
                }
            }
        } catch {
            throw ServiceError.unreadable(path, "it is no journal of a ceremony")
        }
        guard self.head.scriptSHA256 == scriptSHA256 else {
            throw ServiceError.unreadable(path, "it belongs to another script, or the script was changed since")
        }
        self.file = try AppendedFile(appending: path)
        try self.file.append([UInt8(ascii: "\n")])
    }

    /// Steps that were done, the failed ones not counted.
    var done: Int { self.steps.count { $0.failure == nil } }

    mutating func append(_ step: CeremonyTranscript.Step) throws {
        try self.append(step as any Encodable)
        self.steps.append(step)
    }

    private func append(_ value: any Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try self.file.append(Array(encoder.encode(value)) + [0x0A])
        try self.file.synchronize()
    }
}
