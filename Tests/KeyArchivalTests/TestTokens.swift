import DeviceProfiles
import Foundation
import KeyProvider
import PKCS11KeyProvider
import SecretMemory
import TestSupport

/// A software token with the keys of one test on it.
struct TestToken: Sendable {
    let software: SoftwareToken
    let keys: any KeyToken

    /// What a device profile says of a token that has no AES key wrap with padding.
    static let withoutKeyWrap = ["mechanisms.wrap_private": "[]"]

    /// Makes a token, lends it, and closes its sessions before its module goes.
    static func with(
        _ kind: SoftwareToken.Kind, label: String = "signet test", overrides: [String: String] = [:],
        _ body: (TestToken) async throws -> Void
    ) async throws {
        let software = try await SoftwareToken.make(kind, label: label)
        let catalog = try ProfileCatalog(directories: [SimulatorLibrary.profiles])
        let configuration = TokenConfiguration(
            modulePath: software.modulePath, initializationString: software.initializationString,
            profile: try catalog.profile(named: kind.profileName, overrides: overrides),
            reference: try KeyReference("pkcs11:token=\(label.replacing(" ", with: "%20"))"))
        let pin = software.userPIN
        let store = try await TokenKeyStore.open(configuration, modules: ModuleRegistry()) {
            try SecretBytes(copying: pin.utf8)
        }
        do {
            try await body(TestToken(software: software, keys: store))
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    func generate(_ role: KeyRole, label: String) async throws -> TokenKeyPair {
        try await self.keys.generateKeyPair(
            KeyPairSpecification(algorithm: .rsa(modulusBits: 2048), role: role, label: label, certificateBytes: 0))
    }
}
