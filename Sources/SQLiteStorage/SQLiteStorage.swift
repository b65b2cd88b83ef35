package import CertificateAuthority
import GRDB

/// An instance's database in one SQLite file.
///
/// Several processes may have the file open: `signetd` and the command line. Writes take the write lock at once
/// (`BEGIN IMMEDIATE`) and wait up to ten seconds for another process; reads see a snapshot and wait for nobody.
/// A write that returned is on the disk (WAL with `synchronous=FULL`).
package final class SQLiteStorage: CAStorage {
    /// How long a write waits for another process when the caller does not say, in seconds.
    package static let busyTimeoutSeconds = 10.0

    let database: any DatabaseWriter
    private let writes: GroupCommit

    /// Opens the database, creates it when there is none, and brings its tables up to date.
    ///
    /// The file and its `-wal` and `-shm` get mode 0600.
    ///
    /// - Throws: ``StorageError``: `cannotOpen`, `corrupt` for a file that is no database, `newerSchema` for one that a
    ///   newer version wrote, `busy`.
    package convenience init(path: String, busyTimeoutSeconds: Double = SQLiteStorage.busyTimeoutSeconds) throws {
        try DatabaseFile.prepare(path: path)
        // Whoever comes by another name meets the same file of owners.
        let path = try DatabaseFile.resolvingLinks(path)
        let database = try StorageError.mapping("open the database \(path)") {
            let configuration = SQLiteStorage.configuration(busyTimeoutSeconds)
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { try $0.execute(sql: SQLiteStorage.writerSettings) }
            return pool
        }
        try self.init(database: database, name: path, owner: WorkOwner(databasePath: path))
    }

    /// Makes a database in memory, for tests.
    package convenience init(inMemoryNamed name: String = "in memory") throws {
        let database = try StorageError.mapping("open the database \(name)") {
            try DatabaseQueue(configuration: SQLiteStorage.configuration(SQLiteStorage.busyTimeoutSeconds))
        }
        try self.init(database: database, name: name)
    }

    /// - Parameters:
    ///   - database: open, with foreign keys on.
    ///   - patience: how long a transaction waits for company, see ``GroupCommit``.
    init(
        database: any DatabaseWriter, name: String, owner: WorkOwner = WorkOwner(databasePath: nil),
        patience: Duration = GroupCommit.defaultPatience
    ) throws {
        self.database = database
        self.writes = GroupCommit(database: database, owner: owner, patience: patience)
        try StorageError.mapping("bring the tables of \(name) up to date") {
            try SQLiteStorage.migrate(database, name: name)
        }
    }

    /// The pool has set NORMAL, which may lose the last commits when the power fails.
    ///
    /// 8 MiB of pages keep the ends of all indices at hand, which every issuance writes to, and are full after some thousand
    /// issuances, so that a service's memory stands still from then on. The log is copied into the
    /// database every 16 MiB: most of those pages were written many times by then, and are copied once.
    ///
    /// What savepoints keep stays in memory; it would be written to a file else.
    ///
    /// What is deleted is overwritten with zeros, so that an archive that was encrypted to a lost card, or whose row was
    /// deleted, is in no free page.
    ///
    /// Only the writer's connection writes, so only it needs the settings.
    private static let writerSettings = """
        PRAGMA secure_delete = ON;
        PRAGMA synchronous = FULL;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -8192;
        PRAGMA wal_autocheckpoint = 4096;
        """

    static func configuration(_ busyTimeoutSeconds: Double) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(busyTimeoutSeconds)
        configuration.publicStatementArguments = false
        configuration.label = "signet.storage"
        return configuration
    }

    private static func migrate(_ database: any DatabaseWriter, name: String) throws {
        let migrator = Schema.migrator
        guard try database.read({ try !migrator.hasBeenSuperseded($0) }) else {
            throw StorageError.newerSchema(path: name)
        }
        do {
            try migrator.migrate(database)
        } catch {
            // Another process may have made the same tables in the same moment; then there is nothing left to do.
            guard try database.read({ try migrator.hasCompletedMigrations($0) }) else { throw error }
        }
    }

    /// Reads one consistent state of the database; what is committed meanwhile is not seen.
    ///
    /// - Throws: ``StorageError``, what `body` throws, and `CancellationError` in a cancelled task.
    package func read<R: Sendable>(_ body: @escaping @Sendable (any StorageReading) throws -> R) async throws -> R {
        do {
            return try await self.database.read { try body(SQLiteReader(db: $0)) }
        } catch let error as DatabaseError {
            throw StorageError(error, operation: "read the database")
        }
    }

    /// Runs `body` together with the writes of other callers, and returns after the commit.
    ///
    /// `body` may be run a second time before it is committed, and does nothing but with the database.
    ///
    /// A cancelled task still gets its outcome: what is stored is stored.
    ///
    /// - Throws: ``StorageError``, also when the commit fails, and what `body` throws.
    package func write<R: Sendable>(_ body: @escaping @Sendable (any StorageWriting) throws -> R) async throws -> R {
        try await self.writes.run(body)
    }

    /// Pages are overwritten when they are freed; the log, which has them as they were, is copied and cut to nothing.
    package func forgetDeleted() async throws {
        do {
            _ = try await self.database.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        } catch let error as DatabaseError {
            throw StorageError(error, operation: "take what was deleted out of the database's log")
        }
    }

    /// What the database has done since it was opened, for metrics and tests.
    package var statistics: StorageStatistics { self.writes.statistics }

    /// How many callers the next transaction expects.
    var company: Int { self.writes.company }

    /// Closes the file. Later reads and writes throw; writes under way are finished first.
    package func close() throws {
        try StorageError.mapping("close the database") { try self.database.close() }
    }
}

/// Counters of one open database.
package struct StorageStatistics: Sendable, Equatable {
    /// Transactions that are on the disk.
    package var commits = 0
    /// Writes that shared them.
    package var writes = 0
    /// Writes that wait for the transaction under way to end.
    package var waiting = 0

    package init(commits: Int = 0, writes: Int = 0, waiting: Int = 0) {
        self.commits = commits
        self.writes = writes
        self.waiting = waiting
    }
}
