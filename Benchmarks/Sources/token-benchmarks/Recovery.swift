import BenchmarkSupport
import Foundation
import KeyProvider
import PKCS11KeyProvider
import Synchronization

/// The time from a token's return to the first good signature, with two tasks that sign all the time.
struct Recovery {
    let token: BenchmarkToken
    let algorithm: KeyAlgorithm
    let modules: ModuleRegistry

    func measure(rounds: Int) async throws {
        let module = try SimulatedModule(for: self.token, hasControl: true)
        let store = try await self.token.open(module: module.path, sessions: 2, modules: self.modules)
        let signature: SignatureAlgorithm = self.algorithm.isRSA ? .rsaPKCS1v15(.sha256) : .ecdsa(.sha256)
        let key = try await store.generateKeyPair(
            KeyPairSpecification(algorithm: self.algorithm, role: .caSigning, label: "recovery", certificateBytes: 0)
        ).locator
        let (signed, isDone) = (Counter(), Counter())
        let workers = (0..<2).map { _ in
            Task {
                while isDone.value == 0 {
                    do {
                        _ = try await store.sign(RawSigner.message, with: key, algorithm: signature)
                        signed.add()
                    } catch {
                        // What happens while the token is away is what is measured.
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
            }
        }
        var times: [Double] = []
        for _ in 0..<rounds {
            let before = signed.value
            while signed.value < before + 20 { try await Task.sleep(for: .milliseconds(1)) }
            try module.command("eject")
            try await Task.sleep(for: .milliseconds(1200))
            try module.command("insert")
            let (start, back) = (ContinuousClock.now, signed.value)
            while signed.value == back { try await Task.sleep(for: .milliseconds(1)) }
            let time = start.duration(to: .now).components
            times.append(Double(time.seconds) + Double(time.attoseconds) / 1e18)
        }
        isDone.add()
        for worker in workers { try await worker.value }
        await store.close()
        print(
            "\(self.algorithm)  removal for 1.2 s: first signature after "
                + String(format: "%.2f s median, %.2f s at most", Measurement.median(times), times.max() ?? .nan)
                + " (\(times.count) times)")
    }
}

private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { self.count.load(ordering: .acquiring) }

    func add() { self.count.add(1, ordering: .acquiringAndReleasing) }
}
