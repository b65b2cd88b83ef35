import BackupSets
import CFileSystem
import CoreFoundation
import Diagnostics
import Foundation
import Glibc
import PKIMessages

/// Where a backup is made: a directory beside the target, which gets the target's name when everything in it was written,
/// synced and verified. A backup that looks whole is whole, whenever the process ends. A PKCS #12 with the CA's keys that lies
/// in the target stays there.
final class BackupDirectory {
    private static let suffix = ".partial-"

    private let target: String
    let path: String
    /// Locked as long as the process runs, so that the next one can tell a leftover.
    private let descriptor: Int32
    private let replaces: Bool

    /// - Parameter replaces: whether a backup may be in the way.
    /// - Throws: ``ServiceError`` with code `exists` (0x80070050) when something is there.
    init(for target: String, replaces: Bool, random: [UInt8]) throws {
        self.target = target
        self.replaces = replaces
        try BackupDirectory.check(target, replaces: replaces)
        try BackupDirectory.removeLeftovers(of: target)
        self.path = target + Self.suffix + Hexadecimal.lower(random)
        guard mkdir(self.path, 0o700) == 0 else {
            throw ServiceError.notWritten(self.path, String(cString: strerror(errno)))
        }
        self.descriptor = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard self.descriptor >= 0, flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw ServiceError.notWritten(self.path, String(cString: strerror(errno)))
        }
        try FilePaths.makeDirectory(self.path + "/" + BackupLayout.databaseDirectory)
    }

    deinit {
        close(self.descriptor)
    }

    /// True for the name of a directory in which a backup is being made, or was when the process ended.
    static func isUnfinished(_ path: String) -> Bool { path.contains(Self.suffix) }

    private static func isKeyFile(_ name: String) -> Bool { name.hasSuffix(BackupLayout.keyFileSuffix) }

    /// Has the target's PKCS #12 files also here.
    private func takeKeyFiles() throws -> Bool {
        // `try?`: where no directory is, no file is in it.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.target)) ?? []
        for name in names where Self.isKeyFile(name) {
            guard link(self.target + "/" + name, self.path + "/" + name) == 0 else {
                throw ServiceError.notWritten(self.path + "/" + name, String(cString: strerror(errno)))
            }
        }
        return names.contains(where: Self.isKeyFile)
    }

    /// Nothing, an empty directory, or a backup that may go.
    static func check(_ target: String, replaces: Bool) throws {
        guard FilePaths.exists(target) else { return }
        // A file in its place has no contents to list, and is in the way.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: target)) ?? [target]
        guard !names.allSatisfy({ FilePaths.exists(target + "/" + $0) && Self.isKeyFile($0) }) else { return }
        guard replaces else { throw ServiceError.backupExists(target) }
        guard FilePaths.exists(target + "/" + BackupLayout.manifest) else {
            throw ServiceError.exists(target, "Something that is no backup, the directory")
        }
    }

    /// What processes have left behind that were killed.
    private static func removeLeftovers(of target: String) throws {
        let url = URL(fileURLWithPath: target)
        let parent = url.deletingLastPathComponent().path
        let prefix = url.lastPathComponent + Self.suffix
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: parent) } catch {
            throw ServiceError.unreadable(parent, error.localizedDescription)
        }
        for name in names where name.hasPrefix(prefix) {
            let path = parent + "/" + name
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
            try FileTree.remove(path)
        }
    }

    /// Gives the backup its name. An older one is there whole until then, and removed after.
    func finish() throws {
        let hasKeyFiles = try self.takeKeyFiles()
        try FileTree.synchronize(self.path)
        let isReplacing = hasKeyFiles || FilePaths.exists(self.target + "/" + BackupLayout.manifest)
        if isReplacing {
            try FileTree.exchange(self.path, self.target)
        } else {
            try FileTree.rename(self.path, to: self.target)
        }
        try FileTree.synchronizeDirectory(URL(fileURLWithPath: self.target).deletingLastPathComponent().path)
        // The older one has the name of a leftover now.
        if isReplacing { try FileTree.remove(self.path) }
    }

    /// Removes what was made.
    func abandon() throws {
        // Not there when it has its name already.
        if FilePaths.exists(self.path) { try FileTree.remove(self.path) }
    }
}

/// Operations on whole directories.
enum FileTree {
    static func remove(_ path: String) throws {
        do { try FilePaths.removeTree(path) } catch {
            throw ServiceError.notWritten(path, error.localizedDescription)
        }
    }

    static func rename(_ path: String, to target: String) throws {
        guard Glibc.rename(path, target) == 0 else {
            throw ServiceError.notWritten(target, String(cString: strerror(errno)))
        }
    }

    /// renameat2(2) with RENAME_EXCHANGE: both names exist at every moment.
    static func exchange(_ path: String, _ other: String) throws {
        guard renameat2(AT_FDCWD, path, AT_FDCWD, other, 1 << 1) == 0 else {
            throw ServiceError.notWritten(other, String(cString: strerror(errno)))
        }
    }

    /// Syncs every file and directory below `path`.
    static func synchronize(_ path: String) throws {
        let names: [String]
        do { names = try FileManager.default.subpathsOfDirectory(atPath: path) } catch {
            throw ServiceError.unreadable(path, error.localizedDescription)
        }
        for name in names { try self.synchronizeDirectory(path + "/" + name) }
        try self.synchronizeDirectory(path)
    }

    /// Syncs one directory or file.
    static func synchronizeDirectory(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ServiceError.unreadable(path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw ServiceError.notWritten(path, String(cString: strerror(errno)))
        }
    }

    /// The size of a file, which is not opened.
    static func byteCount(of path: String) throws -> Int64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw ServiceError.unreadable(path, String(cString: strerror(errno))) }
        return Int64(status.st_size)
    }

    /// - Throws: ``ServiceError`` when the file system of `path` has less room than that, in bytes.
    static func mustHaveRoom(_ bytes: Int64, at path: String) throws {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else {
            throw ServiceError.unreadable(path, String(cString: strerror(errno)))
        }
        let free = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        guard free >= bytes else { throw ServiceError.noRoom(path, needed: bytes, free: free) }
    }
}

extension ServiceError {
    fileprivate static func backupExists(_ directory: String) -> ServiceError {
        ServiceError(
            code: .exists, headline: "The directory \"\(directory)\" is not empty, and nothing in it is overwritten.",
            hresult: .fileExists, advice: ["Name an empty directory, or replace the old backup with --force."])
    }

    fileprivate static func noRoom(_ path: String, needed: Int64, free: Int64) -> ServiceError {
        ServiceError(
            code: .notWritten, headline: "There is too little room at \"\(path)\".", hresult: .writeFault,
            facts: [Fact("bytes needed", "\(needed)"), Fact("bytes free", "\(free)")],
            advice: ["Free that much space, or name a directory on another disk."])
    }
}
