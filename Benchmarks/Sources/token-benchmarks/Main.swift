import BenchmarkSupport
import Foundation
import KeyProvider
import PKCS11KeyProvider

/// What the way to a token costs, beside the token alone. See docs/benchmarks.md for method and numbers.
///
/// One algorithm and one module a process: a SoftHSM module serves one token directory.
@main
struct TokenBenchmarks {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count > 1, let algorithm = KeyAlgorithm(arguments[1]) else {
            print(Interleaved.header)
            for part in ["provider", "simulator"] {
                for algorithm in ["p-256", "rsa-2048"] { try ChildRun.run([part, algorithm]) }
            }
            try ChildRun.run(["recovery", "p-256"])
            return
        }
        let rounds = arguments.count > 2 ? Int(arguments[2]) : nil
        let token = try BenchmarkToken(label: "benchmark")
        defer { try? token.remove() }  // a temporary directory; the system removes what is left
        try await token.initialize()
        let modules = ModuleRegistry()
        if arguments[0] == "recovery" {
            try await Recovery(token: token, algorithm: algorithm, modules: modules).measure(rounds: rounds ?? 5)
            return
        }
        let store = try await token.open(sessions: 1, modules: modules)
        let key = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: algorithm, role: .caSigning, label: "CA", certificateBytes: 0)
        ).locator
        let signer = try RawSigner(module: BenchmarkToken.module, label: token.label, algorithm: algorithm)
        switch arguments[0] {
        case "simulator":
            try await SimulatorOverhead(token: token, bare: signer, algorithm: algorithm, modules: modules)
                .measure(rounds: rounds ?? 30)
        default:
            try await ProviderSigning(
                token: token, signer: signer, key: key, algorithm: algorithm, modules: modules
            ).measure(rounds: rounds ?? 30)
        }
        await store.close()
    }
}
