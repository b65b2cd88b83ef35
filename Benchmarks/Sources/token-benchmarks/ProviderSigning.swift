import BenchmarkSupport
import KeyProvider
import PKCS11KeyProvider

/// Signing a 900-byte message through the key provider (hash, threads, locator, recovery) beside raw `C_Sign` of a
/// digest, with as many tasks and sessions as the raw side has threads. The CA's own check of a signature is counted with
/// issuance.
struct ProviderSigning {
    let token: BenchmarkToken
    let signer: RawSigner
    let key: KeyLocator
    let algorithm: KeyAlgorithm
    let modules: ModuleRegistry

    private static let (seconds, ramp) = (0.1, 0.1)

    func measure(rounds: Int) async throws {
        let signature: SignatureAlgorithm = self.algorithm.isRSA ? .rsaPKCS1v15(.sha256) : .ecdsa(.sha256)
        let (signer, key) = (self.signer, self.key)
        for count in [1, 2, 4] {
            let store = try await self.token.open(sessions: count, modules: self.modules)
            let results = try await Interleaved.run(
                rounds: rounds,
                [
                    .init("\(count) threads, C_Sign") {
                        try signer.rate(threads: count, seconds: Self.seconds, ramp: Self.ramp)
                    },
                    .init("\(count) threads, hash and C_Sign") {
                        try signer.rate(threads: count, seconds: Self.seconds, ramp: Self.ramp, hashing: true)
                    },
                    .init("\(count) tasks on the token's threads") {
                        try await Measurement.rate(
                            workers: count, seconds: Self.seconds, ramp: Self.ramp, on: store.executor
                        ) { _ in
                            _ = try await store.sign(RawSigner.message, with: key, algorithm: signature)
                        }
                    },
                    .init("\(count) tasks elsewhere") {
                        try await Measurement.rate(workers: count, seconds: Self.seconds, ramp: Self.ramp) { _ in
                            _ = try await store.sign(RawSigner.message, with: key, algorithm: signature)
                        }
                    },
                ])
            for result in results { print(Interleaved.line("\(self.algorithm)", result)) }
            await store.close()
        }
    }
}
