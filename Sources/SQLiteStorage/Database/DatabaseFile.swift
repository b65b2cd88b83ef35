import CertificateAuthority
import Diagnostics

#if canImport(Glibc)
    import Glibc
#endif

/// The rights of the database's files: readable and writable by their owner only.
///
/// SQLite gives `-wal` and `-shm` the mode of the main file, so that the main file's mode must be right before
/// SQLite opens it for the first time.
enum DatabaseFile {
    static let mode: mode_t = 0o600

    /// Creates the file, empty, when there is none, and takes the rights of others away from what is there.
    ///
    /// A file that is there is not opened: were it closed again, the locks of every connection that this process has to it
    /// would be gone (https://www.sqlite.org/howtocorrupt.html, 2.2).
    static func prepare(path: String) throws {
        if access(path, F_OK) != 0 {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, DatabaseFile.mode)
            guard descriptor >= 0 else { throw DatabaseFile.failure(path) }
            close(descriptor)
        }
        guard chmod(path, DatabaseFile.mode) == 0 else { throw DatabaseFile.failure(path) }
        for companion in ["-wal", "-shm"] where access(path + companion, F_OK) == 0 {
            // Gone between the two calls: another process has closed the database.
            guard chmod(path + companion, DatabaseFile.mode) == 0 || errno == ENOENT else {
                throw DatabaseFile.failure(path + companion)
            }
        }
    }

    /// The file's own path. The file is there.
    static func resolvingLinks(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else { throw DatabaseFile.failure(path) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func failure(_ path: String) -> StorageError {
        let number = errno
        return .cannotOpen(
            path: path, reason: String(cString: strerror(number)),
            hresult: number == EACCES || number == EPERM || number == EROFS ? .accessDenied : .fileNotFound)
    }
}
