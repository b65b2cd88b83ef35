import Foundation
import PKIMessages

/// One thing in a part's content.
///
///     kind     1 byte; 0 ends the content, and nothing follows
///     name     2 bytes of length, big-endian, and UTF-8
///     length   8 bytes, big-endian
///     content
package struct BackupEntry: Sendable, Hashable, Codable {
    package enum Kind: UInt8, Sendable, Codable {
        /// The image of a database.
        case database = 1
        /// A file, named by its path inside the instance.
        case file = 2
        /// Rows that changed since another backup.
        case changes = 3
    }

    package var kind: Kind
    package var name: String
    package var byteCount: Int64
    /// SHA-256 of the content, lower-case hexadecimal.
    package var sha256: String

    static let maximumNameBytes = 1024

    package init(kind: Kind, name: String, byteCount: Int64, sha256: String) {
        self.kind = kind
        self.name = name
        self.byteCount = byteCount
        self.sha256 = sha256
    }

    /// False for a name that would lead out of the directory in which it is restored.
    package static func isSafe(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !name.isEmpty && name.utf8.count <= Self.maximumNameBytes && !name.utf8.contains(0)
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }
}

/// Writes entries into a part.
package final class EntryWriter {
    private let part: PartWriter
    package private(set) var entries: [BackupEntry] = []

    package init(_ part: PartWriter) {
        self.part = part
    }

    /// - Parameters:
    ///   - byteCount: how many bytes `body` will write.
    ///   - body: writes the content, in pieces of any size.
    /// - Throws: ``BackupError`` with code `changed` when there were more or fewer: the file changed meanwhile.
    package func append(
        _ kind: BackupEntry.Kind, _ name: String, byteCount: Int64,
        _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        guard BackupEntry.isSafe(name), !self.entries.contains(where: { $0.name == name }) else {
            throw BackupError.changed(name, "the name cannot stand in a backup, or stands there already")
        }
        let bytes = Array(name.utf8)
        try self.part.write([kind.rawValue] + Self.number(UInt16(bytes.count)) + bytes + Self.number(UInt64(byteCount)))
        var digest = DigestState(.sha256)
        var count: Int64 = 0
        try body { piece in
            count += Int64(piece.count)
            guard count <= byteCount else { throw BackupError.changed(name, "it grew while it was read") }
            digest.update(piece)
            try self.part.write(piece)
        }
        guard count == byteCount else { throw BackupError.changed(name, "it shrank while it was read") }
        self.entries.append(
            BackupEntry(kind: kind, name: name, byteCount: count, sha256: Hexadecimal.lower(digest.finalize())))
    }

    package func append(_ kind: BackupEntry.Kind, _ name: String, _ content: [UInt8]) throws {
        try self.append(kind, name, byteCount: Int64(content.count)) { put in try content.withUnsafeBytes(put) }
    }

    /// Ends content and part.
    ///
    package func finish() throws -> PartWriter.File {
        try self.part.write([0])
        return try self.part.finish()
    }

    private static func number(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

/// Reads the entries of a part, in order, each once.
package struct EntryReader {
    private let name: String
    private let part: PartReader
    private var names: Set<String> = []
    private var isAtEnd = false

    /// - Parameter name: the part's file, for errors.
    package init(_ name: String, _ part: PartReader) {
        self.name = name
        self.part = part
    }

    /// Lends the next entry's content to `body`, which is given its kind and name first.
    ///
    /// - Parameter begin: gives what takes the pieces of the content.
    /// - Returns: the entry, with the hash of what was read; `nil` at the end, which is known to be the end then.
    /// - Throws: ``BackupError``, and what `begin` and what it gives throw.
    package mutating func next(
        _ begin: (_ kind: BackupEntry.Kind, _ name: String) throws -> (UnsafeRawBufferPointer) throws -> Void
    ) throws -> BackupEntry? {
        guard !self.isAtEnd else { return nil }
        let first = try self.part.bytes(1)[0]
        guard first != 0 else {
            guard try self.part.read(1, { _ in }) == 0 else {
                throw BackupError.changed(self.name, "its content goes on after its end")
            }
            self.isAtEnd = true
            return nil
        }
        guard let kind = BackupEntry.Kind(rawValue: first) else {
            throw BackupError.changed(self.name, "it has an entry of unknown kind")
        }
        let text = try self.part.bytes(Int(self.number(2)))
        let byteCount = try self.number(8)
        guard let name = String(validating: text, as: UTF8.self), BackupEntry.isSafe(name), byteCount < 1 << 62,
            self.names.insert(name).inserted
        else { throw BackupError.changed(self.name, "an entry has a name or length that no backup has") }
        let take = try begin(kind, name)
        var digest = DigestState(.sha256)
        var rest = Int64(byteCount)
        while rest > 0 {
            let taken = try self.part.read(Int(min(rest, 1 << 20))) {
                digest.update($0)
                try take($0)
            }
            guard taken > 0 else { throw BackupError.changed(self.name, "its content ends within an entry") }
            rest -= Int64(taken)
        }
        return BackupEntry(
            kind: kind, name: name, byteCount: Int64(byteCount), sha256: Hexadecimal.lower(digest.finalize()))
    }

    private func number(_ count: Int) throws -> UInt64 {
        try self.part.bytes(count).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
