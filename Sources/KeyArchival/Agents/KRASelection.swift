package import CertificateAuthority
package import PKIMessages
import Synchronization

/// Chooses to which key recovery agents a key is archived.
///
/// All configured agents must be valid; one that is not stops archival, because nobody would notice that keys have
/// fewer agents than was decided. Of the valid ones `count` are taken in turn, beginning at a random one.
package final class KRASelection: Sendable {
    private let storage: any CAStorage
    package let check: KRACertificateCheck
    /// To how many agents each key is archived.
    package let count: Int
    private let surroundings: Surroundings
    private let start: Mutex<UInt64>

    /// - Parameters:
    ///   - check: what an agent's certificate must be.
    ///   - count: to how many agents each key is archived; 0 turns archival off.
    /// - Throws: what the random source throws.
    package init(
        storage: any CAStorage, check: KRACertificateCheck, count: Int, surroundings: Surroundings
    ) throws {
        self.storage = storage
        self.check = check
        self.count = count
        self.surroundings = surroundings
        let random = try surroundings.randomBytes(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.start = Mutex(random)
    }

    /// The state of every configured agent, in the order in which they were added.
    package func statuses() async throws -> [KRAStatus] {
        try await self.storage.read { try self.statuses(in: $0) }
    }

    private func statuses(in reader: any StorageReading) throws -> [KRAStatus] {
        let now = self.surroundings.now()
        return try reader.keyRecoveryAgents().enumerated().map {
            try self.check.status(of: $1, index: $0, in: reader, at: now)
        }
    }

    /// Why no key can be archived now; `nil` when it can.
    package static func obstacle(_ statuses: [KRAStatus], count: Int) -> ArchivalError? {
        guard count > 0, !statuses.isEmpty else { return .notConfigured() }
        let invalid = statuses.filter { $0.state != .valid }
        guard invalid.isEmpty else { return .noValidAgent(invalid) }
        return count <= statuses.count ? nil : .tooFewAgents(needed: count, configured: statuses.count)
    }

    /// All agents, valid and enough.
    ///
    /// - Throws: ``ArchivalError``: `notConfigured` (0x8009400A), `noValidAgent` (0x8009400B); ``StorageError``.
    package func ready() async throws -> [CertificateFields] {
        try await self.storage.read { try self.ready(in: $0) }
    }

    private func ready(in reader: any StorageReading) throws -> [CertificateFields] {
        let statuses = try self.statuses(in: reader)
        if let obstacle = KRASelection.obstacle(statuses, count: self.count) { throw obstacle }
        return statuses.compactMap(\.certificate)
    }

    /// The agents for one key.
    ///
    /// - Throws: as ``ready()``.
    package func next() async throws -> [CertificateFields] {
        try await self.storage.read { try self.next(in: $0) }
    }

    /// The same in a read that looks for more.
    func next(in reader: any StorageReading) throws -> [CertificateFields] {
        let agents = try self.ready(in: reader)
        let first = self.start.withLock { start in
            defer { start &+= UInt64(self.count) }
            return Int(start % UInt64(agents.count))
        }
        return (0..<self.count).map { agents[(first + $0) % agents.count] }
    }
}
