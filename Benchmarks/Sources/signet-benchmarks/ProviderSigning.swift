import DeviceProfiles
import Foundation
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory

/// Signing through the key provider (threads, locators, recovery) as a ratio to raw `C_Sign`, with as many tasks and
/// sessions on both sides. The CA's own check of a signature is not part of it.
struct ProviderSigning {
    private static let seconds = 1.0

    let token: BenchmarkToken
    let signer: RawSigner
    let key: KeyLocator
    let algorithm: KeyAlgorithm

    func measure(rounds: Int) async throws {
        let modules = ModuleRegistry()
        for workers in [1, 2, 4] {
            let store = try self.open(sessions: workers, modules: modules)
            try await store.logIn()
            var ratios: [Double] = []
            var rates: [Double] = []
            for _ in 0..<rounds {
                let raw = try await Measurement.rate(workers: workers, seconds: Self.seconds) { _ in
                    try await self.signer.signBatch()
                }
                let provided = try await Measurement.rate(workers: workers, seconds: Self.seconds) { _ in
                    _ = try await store.sign(Self.message, with: self.key, algorithm: self.signature)
                }
                rates.append(provided.perWallSecond)
                ratios.append(provided.perWallSecond / (raw.perWallSecond * Double(self.signer.batch)))
            }
            let name = "\(self.algorithm)".padding(toLength: 8, withPad: " ", startingAt: 0)
            print(
                "\(name) provider, \(workers) tasks: "
                    + String(
                        format: "%.0f/s, ratio to C_Sign %.2f", Measurement.median(rates), Measurement.median(ratios)))
        }
    }

    private static let message = [UInt8](repeating: 0x30, count: 900)

    private var signature: SignatureAlgorithm {
        self.algorithm.isRSA ? .rsaPKCS1v15(.sha256) : .ecdsa(.sha256)
    }

    private func open(sessions: Int, modules: ModuleRegistry) throws -> TokenKeyStore {
        let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let profile = try DeviceProfile(contentsOf: checkout.path + "/hsm-profiles/softhsm2.yaml")
        let pinFile = self.token.pinFile
        return try TokenKeyStore.open(
            TokenConfiguration(
                modulePath: BenchmarkToken.module, profile: profile,
                reference: KeyReference("pkcs11:token=\(self.token.label)"), maximumSessions: sessions),
            modules: modules
        ) {
            try SecretBytes(copying: Data(contentsOf: URL(fileURLWithPath: pinFile)))
        }
    }
}
