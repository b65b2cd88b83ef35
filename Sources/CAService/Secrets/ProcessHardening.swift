import CProcess
import Glibc
import PKIMessages

/// What a process does so that secrets do not leave it, and that it ends as it should.
package enum ProcessHardening {
    /// The first thing that a program does.
    ///
    /// - Throws: ``ServiceError`` when the system refuses, `PKIMessageError` when libcrypto does.
    package static func begin() throws {
        try self.forbidCoreDumps()
        try LibCrypto.keepUntilExit()
    }

    /// No core dump, neither as a file nor into a program that takes cores through a pipe, which the limit does not bind; and
    /// no other process of the same user can read the memory.
    ///
    /// - Throws: ``ServiceError`` when the system refuses either.
    private static func forbidCoreDumps() throws {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0, signet_set_dumpable(0) == 0 else {
            throw ServiceError.coreDumpsNotForbidden(String(cString: strerror(errno)))
        }
    }
}
