import BenchmarkSupport
import CAService
import KeyProvider

/// Opening recovery blobs with an agent's card, each checked and its key proven, beside the card's decryptions alone.
struct KeyRecoveries {
    let token: BenchmarkToken
    private static let blobs = 1_000

    func measure(rounds: Int) async throws {
        let site = try await ArchivingAuthority.make(on: self.token)
        let request = try await site.authority.archivalRequest(subject: "CN=alice")
        for _ in 0..<Self.blobs { try await site.authority.archive(request, requester: "alice") }
        let blobs = try await site.authority.recoveryBlobs(ofKeysMatching: "alice", limit: Self.blobs)
        guard blobs.count == Self.blobs else { throw BenchmarkFailure.callFailed }
        let raw = try RawArchival(module: BenchmarkToken.module, label: "agent")
        let results = try await Interleaved.run(
            rounds: rounds,
            [
                .init("1 thread, C_Decrypt") { try raw.decryptionRate(threads: 1, seconds: 0.5) },
                .init("recovery of \(Self.blobs) keys") {
                    let stopwatch = Stopwatch()
                    return stopwatch.rate(of: try await site.authority.recover(blobs, with: site.card))
                },
            ])
        for result in results { print(Interleaved.line("rsa-2048", result)) }
        await site.close()
    }
}
