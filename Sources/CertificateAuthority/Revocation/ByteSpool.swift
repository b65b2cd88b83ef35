import CFileSystem
import Diagnostics
import Foundation
import Glibc

/// Bytes that are collected before their length is known: in memory while they are few, in a file without a name
/// when they become many.
struct ByteSpool {
    /// Lists up to here are kept in memory and in the database.
    static let memoryLimit = 1 << 20
    private static let chunkBytes = 256 << 10

    private(set) var count = 0
    private let directory: String?
    private let memoryLimit: Int
    private var buffer: [UInt8] = []
    private var file: SpoolFile?

    /// - Parameter directory: where the file may be made; without it everything stays in memory.
    init(directory: String?, memoryLimit: Int = ByteSpool.memoryLimit) {
        self.directory = directory
        self.memoryLimit = memoryLimit
    }

    mutating func append(_ write: (inout [UInt8]) throws -> Void) throws {
        let before = self.buffer.count
        try write(&self.buffer)
        self.count += self.buffer.count - before
        guard let directory = self.directory, self.count > self.memoryLimit, self.buffer.count >= ByteSpool.chunkBytes
        else { return }
        let file = try self.file ?? SpoolFile(in: directory)
        self.file = file
        try self.buffer.withUnsafeBytes { try file.write($0) }
        self.buffer.removeAll(keepingCapacity: true)
    }

    /// What was collected, never to change again.
    consuming func seal() throws -> SpooledBytes {
        guard let file = self.file else { return SpooledBytes(count: self.count, bytes: self.buffer, file: nil) }
        try self.buffer.withUnsafeBytes { try file.write($0) }
        return SpooledBytes(count: self.count, bytes: [], file: file)
    }
}

/// Bytes in memory or in a file.
struct SpooledBytes: Sendable {
    let count: Int
    fileprivate let bytes: [UInt8]
    fileprivate let file: SpoolFile?

    var isInFile: Bool { self.file != nil }

    /// Lends the bytes piece by piece, in order.
    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let file = self.file else { return try self.bytes.withUnsafeBytes(body) }
        try file.forEachChunk(body)
    }
}

/// A file that has no name and goes when nobody holds it, so that a crash leaves nothing.
private final class SpoolFile: Sendable {
    private let descriptor: Int32

    init(in directory: String) throws {
        var template = Array((directory + "/.spool.XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw CRLFileError.failed("make a temporary file in", directory)
        }
        unlink(template)
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try CRLFile.write(bytes, to: self.descriptor, path: "a temporary file")
    }

    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var offset: off_t = 0
        while true {
            let count = pread(self.descriptor, buffer.baseAddress, buffer.count, offset)
            guard count >= 0 else { throw CRLFileError.failed("read", "a temporary file") }
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += off_t(count)
        }
    }
}

/// A file that is whole or not there.
enum CRLFile {
    /// The medium is given so much at a time, so that the database's commits do not wait behind a whole list.
    private static let startedBytes = 1 << 20

    /// Writes beside the target, syncs file and directory, and renames.
    static func create(_ path: String, _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CRLFileError.failed("make", temporary) }
        do {
            defer { close(descriptor) }
            var waiting = 0
            try body { bytes in
                try CRLFile.write(bytes, to: descriptor, path: path)
                waiting += bytes.count
                guard waiting >= CRLFile.startedBytes else { return }
                waiting = 0
                // Advice only: what could not be written is told by fsync.
                _ = sync_file_range(descriptor, 0, 0, UInt32(SYNC_FILE_RANGE_WRITE))
            }
            guard fsync(descriptor) == 0 else { throw CRLFileError.failed("sync", path) }
            guard rename(temporary, path) == 0 else { throw CRLFileError.failed("rename", path) }
        } catch {
            unlink(temporary)
            throw error
        }
        let directory = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { throw CRLFileError.failed("open the directory of", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw CRLFileError.failed("sync the directory of", path) }
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            guard count > 0 else { throw CRLFileError.failed("write", path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}

/// Why the file of a large list could not be written.
enum CRLFileError {
    static func failed(_ what: String, _ path: String) -> StorageError {
        StorageError(
            code: .notWritten, operation: "\(what) \(path)", reason: String(cString: strerror(errno)),
            hresult: .writeFault,
            advice: ["Check that the instance's directory is there, writable and has room, then publish again."])
    }
}
