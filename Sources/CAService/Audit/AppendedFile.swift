import CFileSystem
import Foundation
import Glibc
import Synchronization

/// A file of mode 0600 to which whole lines, or pieces of something larger, are appended.
final class AppendedFile: Sendable {
    /// Of a large file: so many bytes are handed to the medium while the next ones are made, so that ``synchronize()`` has
    /// little left to wait for.
    private static let startedBytes = 8 << 20

    private let path: String
    private let descriptor: Int32
    /// Since the writing of earlier ones was begun.
    private let waitingBytes = Atomic(0)

    /// - Throws: ``ServiceError`` when there is such a file already.
    init(creating path: String) throws {
        self.path = path
        self.descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else {
            if errno == EEXIST { throw ServiceError.exists(path, "The file") }
            throw ServiceError.notWritten(path, String(cString: strerror(errno)))
        }
    }

    /// Opens it, or makes it. Whoever has moved the old one away (logrotate) gets a new one at the next opening.
    init(appending path: String) throws {
        self.path = path
        self.descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw ServiceError.notWritten(path, String(cString: strerror(errno))) }
    }

    func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try self.append($0) }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            let count = write(self.descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                throw ServiceError.notWritten(self.path, String(cString: strerror(errno)))
            }
            written += count
        }
        let waiting = self.waitingBytes.add(written, ordering: .relaxed).newValue
        guard waiting >= Self.startedBytes else { return }
        self.waitingBytes.store(0, ordering: .relaxed)
        // Advice only: what could not be written is told by `synchronize()`.
        _ = sync_file_range(self.descriptor, 0, 0, UInt32(SYNC_FILE_RANGE_WRITE))
    }

    func synchronize() throws {
        guard fsync(self.descriptor) == 0 else {
            throw ServiceError.notWritten(self.path, String(cString: strerror(errno)))
        }
    }

    deinit {
        close(self.descriptor)
    }
}

/// Reads a file line by line, so that its size does not matter.
struct LineReader {
    /// Longer lines are refused: an entry with its details is far below.
    static let maximumLineBytes = 1 << 20

    private let path: String
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    init(_ path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw ServiceError.unreadable(path, String(cString: strerror(errno)))
        }
        self.path = path
        self.handle = handle
    }

    /// - Returns: `nil` at the end; a last line without its end counts as one.
    mutating func next() throws -> [UInt8]? {
        while true {
            if let end = self.buffer[self.position...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { self.position = end + 1 }
                return Array(self.buffer[self.position..<end])
            }
            if self.isAtEnd {
                guard self.position < self.buffer.count else { return nil }
                defer { self.position = self.buffer.count }
                return Array(self.buffer[self.position...])
            }
            self.buffer.removeFirst(self.position)
            self.position = 0
            guard self.buffer.count <= Self.maximumLineBytes else {
                throw ServiceError.unreadable(self.path, "a line is longer than \(Self.maximumLineBytes) bytes")
            }
            let portion: Data?
            do { portion = try self.handle.read(upToCount: 1 << 16) } catch {
                throw ServiceError.unreadable(self.path, error.localizedDescription)
            }
            guard let portion, !portion.isEmpty else {
                self.isAtEnd = true
                continue
            }
            self.buffer += portion
        }
    }
}
