import CoreFoundation
import Glibc
import PKIMessages

/// Which files an import has finished: a line each, appended and synced as each is done, so that another run does not
/// open them again.
///
/// A file is known by the hash of its name, size and time of the last change; one that was changed is imported again.
actor ImportJournal {
    private let file: AppendedFile
    private var finished: Set<[UInt8]> = []

    /// - Parameter path: made when it is not there.
    init(path: String) throws {
        self.file = try AppendedFile(appending: path)
        var reader = try LineReader(path)
        // What a crash cut names no file: that one is looked at again.
        while let line = try reader.next() {
            if let identity = Hexadecimal.bytes(String(decoding: line, as: UTF8.self)) {
                self.finished.insert(identity)
            }
        }
        try self.file.append([UInt8(ascii: "\n")])
    }

    func has(_ path: String) throws -> Bool {
        self.finished.contains(try ImportJournal.identity(of: path))
    }

    func note(_ path: String) throws {
        let identity = try ImportJournal.identity(of: path)
        try self.file.append(Array((Hexadecimal.lower(identity) + "\n").utf8))
        try self.file.synchronize()
        self.finished.insert(identity)
    }

    /// 16 bytes.
    private static func identity(of path: String) throws -> [UInt8] {
        var status = stat()
        guard stat(path, &status) == 0 else { throw ServiceError.unreadable(path, String(cString: strerror(errno))) }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let time = status.st_mtim
        return Array(
            Digest.sha256.hash(Array("\(status.st_size) \(time.tv_sec) \(time.tv_nsec) \(name)".utf8)).prefix(16))
    }
}
