package import CertificateAuthority
package import PKIMessages
import Synchronization

/// Chooses to which key recovery agents a key is archived.
///
/// All configured agents must be valid; one that is not stops archival, because nobody would notice that keys have
/// fewer agents than was decided. Of the valid ones `count` are taken in turn, beginning at a random one.
package final class KRASelection: Sendable {
    private let storage: any CAStorage
    private let check: KRACertificateCheck
    private let count: Int
    private let surroundings: Surroundings
    private let start: Mutex<UInt64>

    /// - Parameters:
    ///   - issuers: this CA's own certificates.
    ///   - count: to how many agents each key is archived; 0 turns archival off.
    /// - Throws: what the random source throws.
    package init(
        storage: any CAStorage, issuers: [CertificateFields], count: Int, surroundings: Surroundings
    ) throws {
        self.storage = storage
        self.check = KRACertificateCheck(issuers: issuers)
        self.count = count
        self.surroundings = surroundings
        let random = try surroundings.randomBytes(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.start = Mutex(random)
    }

    /// The state of every configured agent, in the order in which they were added.
    package func statuses() async throws -> [KRAStatus] {
        let (check, now) = (self.check, self.surroundings.now())
        return try await self.storage.read { reader in
            try reader.keyRecoveryAgents().map { try check.status(of: $0, in: reader, at: now) }
        }
    }

    /// The agents for one key.
    ///
    /// - Throws: ``ArchivalError``: `notConfigured` (0x8009400A), `noValidAgent` (0x8009400B); ``StorageError``.
    package func next() async throws -> [CertificateFields] {
        let statuses = try await self.statuses()
        guard self.count > 0, !statuses.isEmpty else { throw ArchivalError.notConfigured() }
        let invalid = statuses.filter { $0.state != .valid }
        guard invalid.isEmpty else { throw ArchivalError.noValidAgent(invalid) }
        let agents = statuses.compactMap(\.certificate)
        guard self.count <= agents.count else {
            throw ArchivalError.tooFewAgents(needed: self.count, configured: agents.count)
        }
        let first = self.start.withLock { start in
            defer { start &+= UInt64(self.count) }
            return Int(start % UInt64(agents.count))
        }
        return (0..<self.count).map { agents[(first + $0) % agents.count] }
    }
}
