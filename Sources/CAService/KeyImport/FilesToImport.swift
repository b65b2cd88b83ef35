import CoreFoundation
import Glibc

/// A file, or the files of a directory in the order of the directory, one name in memory at a time.
final class FilesToImport {
    private let path: String
    private let directory: OpaquePointer?
    private var isDone = false

    init(_ path: String) {
        self.path = path
        self.directory = opendir(path)
    }

    deinit {
        if let directory { closedir(directory) }
    }

    /// Directories in it, and names that begin with a dot, are passed over.
    ///
    /// - Throws: ``ServiceError`` with code `unreadable`.
    func next() throws -> String? {
        guard let directory else {
            defer { self.isDone = true }
            return self.isDone ? nil : self.path
        }
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else {
                    throw ServiceError.unreadable(self.path, String(cString: strerror(errno)))
                }
                return nil
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let file = self.path + "/" + name
            var status = stat()
            // What has no status is taken as a file, which then says why it cannot be read.
            guard !name.hasPrefix("."), stat(file, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else { continue }
            return file
        }
    }
}
