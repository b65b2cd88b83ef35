import Foundation
import Glibc
package import SecretMemory

/// Paths, and files written so that a reader sees the old or the new content and never half of it.
package enum FilePaths {
    /// `path` itself when it is absolute, otherwise below `directory`.
    package static func resolve(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") ? path : directory + "/" + path
    }

    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Reads a whole file of at most `limit` bytes.
    package static func read(_ path: String, limit: Int = 1 << 20) throws -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw ServiceError.unreadable(path, String(cString: strerror(errno)))
        }
        defer { try? handle.close() }  // a file opened for reading has nothing to lose
        let data: Data
        do { data = try handle.read(upToCount: limit + 1) ?? Data() } catch {
            throw ServiceError.unreadable(path, "\(error.localizedDescription)")
        }
        guard data.count <= limit else {
            throw ServiceError.unreadable(path, "it is larger than \(limit) bytes")
        }
        return Array(data)
    }

    /// The first bytes of a file.
    package static func readStart(_ path: String, count: Int) throws -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw ServiceError.unreadable(path, String(cString: strerror(errno)))
        }
        defer { try? handle.close() }  // a file opened for reading has nothing to lose
        do { return Array(try handle.read(upToCount: count) ?? Data()) } catch {
            throw ServiceError.unreadable(path, "\(error.localizedDescription)")
        }
    }

    /// Writes beside the target, syncs, and renames over it.
    package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32) throws {
        let temporary = path + ".new.\(getpid())"
        unlink(temporary)
        try FilePaths.create(temporary, with: bytes, mode: mode)
        try FilePaths.rename(temporary, to: path)
    }

    /// The same with the content of another file, whatever its size.
    package static func replace(_ path: String, withCopyOf source: String, mode: UInt32) throws {
        let temporary = path + ".new.\(getpid())"
        unlink(temporary)
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw ServiceError.unreadable(source, String(cString: strerror(errno))) }
        defer { close(input) }
        try FilePaths.create(temporary, mode: mode) { descriptor in
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            while true {
                let count = Glibc.read(input, &buffer, buffer.count)
                guard count >= 0 else { throw ServiceError.unreadable(source, String(cString: strerror(errno))) }
                guard count > 0 else { return }
                try FilePaths.write(buffer[..<count], to: descriptor, temporary)
            }
        }
        try FilePaths.rename(temporary, to: path)
    }

    /// Makes a directory that only its owner may enter, unless it is there.
    package static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw ServiceError.notWritten(path, String(cString: strerror(errno)))
        }
    }

    /// Writes a file that must not be there yet.
    package static func create(_ path: String, with bytes: [UInt8], mode: UInt32) throws {
        try FilePaths.create(path, mode: mode) { try FilePaths.write(bytes[...], to: $0, path) }
    }

    /// Writes a file that must not be there yet, so that it is there whole or not at all, whenever the process ends.
    package static func createWhole(_ path: String, with bytes: [UInt8], mode: UInt32) throws {
        try FilePaths.createWhole(path, mode: mode) { append in try append(bytes) }
    }

    /// The same for a file that is made in pieces.
    ///
    /// - Parameter body: is given what appends to the file.
    package static func createWhole(
        _ path: String, mode: UInt32, _ body: (@escaping ([UInt8]) throws -> Void) throws -> Void
    ) throws {
        guard !FilePaths.exists(path) else { throw ServiceError.exists(path, "The file") }
        let temporary = path + ".new.\(getpid())"
        unlink(temporary)
        try FilePaths.create(temporary, mode: mode) { descriptor in
            try body { try FilePaths.write($0[...], to: descriptor, temporary) }
        }
        defer { unlink(temporary) }
        // Unlike a rename, a link never replaces what somebody else has made meanwhile.
        guard link(temporary, path) == 0 else {
            if errno == EEXIST { throw ServiceError.exists(path, "The file") }
            throw ServiceError.notWritten(path, String(cString: strerror(errno)))
        }
    }

    private static func create(_ path: String, mode: UInt32, _ body: (Int32) throws -> Void) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            if errno == EEXIST { throw ServiceError.exists(path, "The file") }
            throw ServiceError.notWritten(path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        do { try body(descriptor) } catch {
            unlink(path)
            throw error
        }
        guard fsync(descriptor) == 0 else { throw FilePaths.abandon(path) }
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32, _ path: String) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw ServiceError.notWritten(path, String(cString: strerror(errno))) }
            rest = rest.dropFirst(count)
        }
    }

    private static func rename(_ temporary: String, to path: String) throws {
        guard Glibc.rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw ServiceError.notWritten(path, reason)
        }
    }

    /// Writes a secret into a file of mode 0600 that must not be there yet.
    package static func create(_ path: String, secret: SecretBytes) throws {
        var bytes = secret.withUnsafeBytes { Array($0) }
        defer { SecretBytes.wipe(&bytes) }
        try FilePaths.createWhole(path, with: bytes, mode: 0o600)
    }

    /// Writes a secret beside the target with mode 0600, syncs, and renames over it.
    package static func replace(_ path: String, secret: SecretBytes) throws {
        var bytes = secret.withUnsafeBytes { Array($0) }
        defer { SecretBytes.wipe(&bytes) }
        try FilePaths.replace(path, with: bytes, mode: 0o600)
    }

    /// Reads a file that holds a secret, such as a PKCS #12, of at most `limit` bytes.
    package static func readSecret(_ path: String, limit: Int = 1 << 20) throws -> SecretBytes {
        var bytes = try FilePaths.read(path, limit: limit)
        return try SecretBytes(moving: &bytes)
    }

    /// Removes a file that this program has just made.
    package static func remove(_ path: String) throws {
        guard unlink(path) == 0 else {
            throw ServiceError.notWritten(path, String(cString: strerror(errno)))
        }
    }

    private static func abandon(_ path: String) -> ServiceError {
        let reason = String(cString: strerror(errno))
        unlink(path)
        return ServiceError.notWritten(path, reason)
    }

    /// Removes a directory with all that is in it.
    ///
    /// SQLite removes its own files when the last connection ends, which may be while they are being removed here: a
    /// file that has gone meanwhile is no reason to leave the others.
    package static func removeTree(_ path: String) throws {
        for _ in 0..<100 {
            do {
                return try FileManager.default.removeItem(atPath: path)
            } catch CocoaError.fileNoSuchFile where FilePaths.exists(path) { continue }
        }
        try FileManager.default.removeItem(atPath: path)
    }
}
