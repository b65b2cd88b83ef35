import BenchmarkSupport
import KeyProvider
import PKCS11
import PKCS11KeyProvider

/// Raw `C_Sign` through the simulator without limits, beside the module alone.
struct SimulatorOverhead {
    let token: BenchmarkToken
    let bare: RawSigner
    let algorithm: KeyAlgorithm
    let modules: ModuleRegistry

    private static let seconds = 0.1

    func measure(rounds: Int) async throws {
        let simulated = try SimulatedModule(for: self.token)
        let store = try await self.token.open(module: simulated.path, sessions: 1, modules: self.modules)
        let signer = try RawSigner(module: simulated.path, label: self.token.label, algorithm: self.algorithm)
        let bare = self.bare
        for count in [1, 2] {
            let results = try await Interleaved.run(
                rounds: rounds,
                [
                    .init("\(count) threads, bare module") { try bare.rate(threads: count, seconds: Self.seconds) },
                    .init("\(count) threads, simulator") { try signer.rate(threads: count, seconds: Self.seconds) },
                ])
            for result in results { print(Interleaved.line("\(self.algorithm)", result)) }
        }
        await store.close()
    }
}
