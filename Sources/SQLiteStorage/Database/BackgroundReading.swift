package import CertificateAuthority
import GRDB

extension SQLiteStorage {
    /// As ``read(_:)``, on a ``BackgroundThread``.
    package func readInBackground<R: Sendable>(
        _ body: @escaping @Sendable (any StorageReading) throws -> R
    ) async throws -> R {
        let database = self.database
        return try await BackgroundThread.run {
            try StorageError.mapping("read the database") {
                // On this thread: GRDB lends a connection to the caller of a synchronous read.
                try database.read { try body(SQLiteReader(db: $0)) }
            }
        }
    }
}
