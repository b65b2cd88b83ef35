import CoreFoundation
import Foundation
import Glibc

/// A file that is read once from its beginning, whatever becomes of its name meanwhile.
final class SequentialFile: Sendable {
    private static let pieceBytes = 1 << 20

    let path: String
    private let descriptor: Int32
    /// When it was opened.
    let byteCount: Int64
    /// When content, name or rights were changed last, by the clock of the system.
    let changedWhen: Date

    /// - Parameter fromMedium: drops what the system has of the file in memory first, so that the medium is read.
    /// - Throws: ``ServiceError``.
    init(_ path: String, fromMedium: Bool = false) throws {
        self.path = path
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard self.descriptor >= 0 else { throw ServiceError.unreadable(path, String(cString: strerror(errno))) }
        var status = stat()
        guard fstat(self.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(self.descriptor)
            throw ServiceError.unreadable(path, "it is not a file")
        }
        self.byteCount = Int64(status.st_size)
        self.changedWhen = Date(timeIntervalSince1970: Double(status.st_ctim.tv_sec))
        // Advice only: where the system does not follow it, the file is read all the same.
        posix_fadvise(self.descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        if fromMedium { posix_fadvise(self.descriptor, 0, 0, POSIX_FADV_DONTNEED) }
    }

    deinit {
        close(self.descriptor)
    }

    /// The next bytes: as many as asked for, fewer at the end only.
    func read(_ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try self.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = Glibc.read(self.descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            if count < 0 {
                if errno == EINTR { continue }
                throw ServiceError.unreadable(self.path, String(cString: strerror(errno)))
            }
            guard count > 0 else { break }
            filled += count
        }
        return filled
    }

    /// Lends the rest to `body`, piece by piece.
    func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try self.read(into: buffer)
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
