package import CertificateAuthority
import Foundation
import GRDB
import Glibc

extension SQLiteStorage {
    /// nice(2): about a tenth of what a thread of a request gets when both want the processor, and all of an idle one.
    private static let niceness: Int32 = 10

    /// As ``read(_:)``, on a thread of its own with a lower priority, which ends with it: an unprivileged process cannot
    /// raise a priority again.
    package func readInBackground<R: Sendable>(
        _ body: @escaping @Sendable (any StorageReading) throws -> R
    ) async throws -> R {
        let database = self.database
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                // On Linux that is the thread, not the process (nice(2), "C library/kernel differences"). A read at the
                // usual priority is no error.
                _ = nice(SQLiteStorage.niceness)
                continuation.resume(
                    with: Result {
                        try StorageError.mapping("read the database") {
                            // On this thread: GRDB lends a connection to the caller of a synchronous read.
                            try database.read { try body(SQLiteReader(db: $0)) }
                        }
                    })
            }
        }
    }
}
