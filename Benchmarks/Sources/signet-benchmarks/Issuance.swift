import BenchmarkSupport
import CAService
import KeyProvider
import PKCS11KeyProvider

/// Issuance in process beside the token's two-thread `C_Sign` rate, and beside a loop that only verifies the request,
/// signs, and verifies the signature.
struct Issuance {
    let token: BenchmarkToken
    let algorithm: KeyAlgorithm

    private static let seconds = 0.5

    func measure(rounds: Int) async throws {
        let authority = try await EmbeddedAuthority.make(on: self.token, self.algorithm)
        guard let key = try await authority.signingKey else { throw BenchmarkFailure.noKey }
        let request = try SampleRequest.make(in: self.token.directory, self.algorithm)
        // The token is opened at its first use; the raw side comes after that.
        _ = try await authority.rate(clients: 1, seconds: 0.1, request)
        let signer = try RawSigner(module: BenchmarkToken.module, label: self.token.label, algorithm: self.algorithm)
        let store = try await self.token.open(sessions: 2, modules: ModuleRegistry())
        let pair = try await store.keyPair(key)
        let loop = try VerifySignVerify(
            store: store, key: key, subjectPublicKeyInfo: pair.subjectPublicKeyInfo, algorithm: self.algorithm)
        let results = try await Interleaved.run(
            rounds: rounds,
            [
                .init("2 threads, C_Sign") { try signer.rate(threads: 2, seconds: Self.seconds) },
                .init("verify, sign, verify, 2 tasks") {
                    try await Measurement.rate(workers: 2, seconds: Self.seconds, on: store.executor) { _ in
                        try await loop.once(request)
                    }
                },
                .init("issuance, 16 clients") {
                    try await authority.rate(clients: 16, seconds: Self.seconds, request)
                },
                .init("issuance, 64 clients") {
                    try await authority.rate(clients: 64, seconds: Self.seconds, request)
                },
            ])
        for result in results { print(Interleaved.line("\(self.algorithm)", result)) }
        for result in results[2...] {
            print(
                Interleaved.line(
                    "\(self.algorithm)", result.beside(results[1], named: result.name + " / verify, sign, verify")))
        }
        await store.close()
        await authority.close()
    }
}
