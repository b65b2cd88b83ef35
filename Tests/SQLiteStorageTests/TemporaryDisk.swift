import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A small disk in memory, for what happens when a disk is full. Needs root.
enum TemporaryDisk {
    static let canMount: Bool = {
        guard geteuid() == 0 else { return false }
        let directory = FileManager.default.temporaryDirectory.path + "/signet-mount-\(UUID())"
        guard mkdir(directory, 0o700) == 0 else { return false }
        defer { rmdir(directory) }
        guard mount("tmpfs", directory, "tmpfs", 0, "size=64k") == 0 else { return false }
        umount(directory)
        return true
    }()

    static func with(kibibytes: Int, _ body: (String) async throws -> Void) async throws {
        try await withDirectory { directory in
            guard mount("tmpfs", directory, "tmpfs", 0, "size=\(kibibytes)k") == 0 else {
                throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM)
            }
            // Lazily: the database may still be open when a test fails.
            defer { umount2(directory, Int32(MNT_DETACH)) }
            try await body(directory)
        }
    }
}
