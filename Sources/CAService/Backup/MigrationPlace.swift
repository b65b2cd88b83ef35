import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages

/// Which of the CA's keys are on the token that it moves to.
struct MigrationPlace {
    let token: any KeyToken
    /// Key pairs on the token, by SHA-256 of the public key.
    let pairs: [[UInt8]: TokenKeyPair]
    /// The newest certificate of each of the CA's keys.
    let keys: [CACertificateRecord]
    /// A renewal that waits for its certificate.
    let pending: PendingAuthorityKey?
    /// When the newest certificate of each key ends.
    let ends: [Int: Date]

    init(_ migration: TokenMigration) async throws {
        let instance = migration.instance
        self.token = try await instance.tokens.open(migration.order.token)
        self.pairs = Dictionary(
            try await self.token.keyPairs().map { ($0.locator.publicKeySHA256, $0) }
        ) { first, _ in first }
        let own = try await instance.storage.read { try $0.ownCACertificates() }
        self.keys = own.newestOfEachKey.reversed()
        self.pending = try await PendingAuthorityKey.load(from: instance.storage)
        self.ends = try Dictionary(
            uniqueKeysWithValues: self.keys.map {
                ($0.keyIndex, try CertificateFields(derEncoded: $0.certificateDER).notAfter)
            })
    }

    var newest: CACertificateRecord? { self.keys.last }

    func pair(of record: CACertificateRecord) -> TokenKeyPair? {
        record.locator.flatMap { self.pairs[$0.publicKeySHA256] }
    }

    /// Whether the key of the newest certificate is on the token.
    var hasNewest: Bool { self.newest.flatMap(self.pair) != nil }

    /// Keys that are on the token, and that the CA looks for elsewhere.
    var misplaced: [TokenKeyPair] {
        self.keys.compactMap { record in
            self.pair(of: record).flatMap { $0.locator.reference == record.locator?.reference ? nil : $0 }
        }
    }

    /// What the other tokens are still needed for, in a sentence.
    func remainder(now: Date) -> String {
        let left = self.keys.filter { self.pair(of: $0) == nil && (self.ends[$0.keyIndex] ?? now) > now }
        guard !left.isEmpty else {
            return "no CA key is needed on another token: take a token that nothing else uses out of signet.yaml"
        }
        return left.map { record in
            "keep \(record.locator?.reference.uri ?? "the token of key \(record.keyIndex)") until "
                + "\(self.ends[record.keyIndex]?.ISO8601Format() ?? ""): it signs the CRL of key \(record.keyIndex)"
        }.joined(separator: "; ")
    }
}
