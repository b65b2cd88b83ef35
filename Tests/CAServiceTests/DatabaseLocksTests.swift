import BackupSets
import CertificateAuthority
import CoreFoundation
import Foundation
import Glibc
import PKIMessages
import SQLiteStorage
import SecretMemory
import TestSupport
import Testing

@testable import CAService

@Suite("SQLite's locks on an open database")
struct DatabaseLocksTests {
    /// The locks of this process on a file, by the kernel: a process loses all of them when it closes the file once, by
    /// whichever descriptor. Asked of each descriptor (proc(5), `/proc/self/fdinfo`): `/proc/locks` leaves some out when locks of
    /// other processes come and go while it is read.
    private static func count(_ path: String) throws -> Int {
        var file = stat()
        try #require(stat(path, &file) == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        return names.compactMap { Int32($0) }.reduce(0) { sum, descriptor in
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_ino == file.st_ino, status.st_dev == file.st_dev,
                // `try?`: others close theirs meanwhile.
                let text = try? String(contentsOfFile: "/proc/self/fdinfo/\(descriptor)", encoding: .utf8)
            else { return sum }
            return sum + text.split(separator: "\n").count { $0.hasPrefix("lock:") && $0.contains(" POSIX ") }
        }
    }

    @Test("They are there after a backup, full or incremental, so that no other process takes the log away")
    func backup() async throws {
        try await withSoftHSM { token in
            let place = try await RootPlace(token)
            let authority = try await place.instance.authority()
            let who = try await authority.localOperator()
            let before = try Self.count(place.instance.databasePath)
            #expect(before > 0)
            for isIncremental in [false, true] {
                _ = try await authority.backUp(
                    BackupOrder(
                        directory: place.directory.path(isIncremental ? "increment" : "full"),
                        recipients: BackupRecipients(
                            certificates: [], password: SecretBytes(copying: Array("a password".utf8))),
                        isIncremental: isIncremental), by: who)
                #expect(try Self.count(place.instance.databasePath) >= before)
            }
            await place.instance.tokens.close()
        }
    }

    @Test("They are there after the process has opened the database a second time")
    func opening() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("signet.sqlite")
        let first = try SQLiteStorage(path: path)
        _ = try await first.read { try $0.auditHead() }
        let before = try Self.count(path)
        #expect(before > 0)
        let second = try SQLiteStorage(path: path)
        #expect(try Self.count(path) >= before)
        try second.close()
        try first.close()
    }
}
