import DeviceProfiles
import Foundation
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory

/// A SoftHSM token in a directory of its own, for one run.
package struct BenchmarkToken {
    package static let module = "/usr/lib/softhsm/libsofthsm2.so"

    /// The directory `hsm-profiles` of the checkout.
    package static let profiles =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path + "/hsm-profiles"

    package let directory: String
    package let label: String
    package let pinFile: String
    private let pin = "12345678"

    package init(label: String) throws {
        self.label = label
        self.directory =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("signet-benchmark-\(UUID().uuidString)").path
        self.pinFile = self.directory + "/pin"
        let tokens = self.directory + "/tokens"
        try FileManager.default.createDirectory(atPath: tokens, withIntermediateDirectories: true)
        try Data(self.pin.utf8).write(to: URL(fileURLWithPath: self.pinFile))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self.pinFile)
        let configuration = self.directory + "/softhsm2.conf"
        try Data("directories.tokendir = \(tokens)\nobjectstore.backend = file\nlog.level = ERROR\n".utf8)
            .write(to: URL(fileURLWithPath: configuration))
        setenv("SOFTHSM2_CONF", configuration, 1)
    }

    /// Another token in the directory of the first, behind the same module.
    package init(label: String, beside other: BenchmarkToken) {
        self.label = label
        self.directory = other.directory
        self.pinFile = other.pinFile
    }

    package func remove() throws {
        try FileManager.default.removeItem(atPath: self.directory)
    }

    /// Initialises the token, with its PIN.
    package func initialize() async throws {
        let module = try Module(path: BenchmarkToken.module)
        // Not when the last reference goes: a thread of the token may have it, and would finalise the module while the next
        // token is initialised behind it.
        defer { module.finalize() }
        guard let empty = try module.slots().first(where: { try !$0.tokenInfo().flags.contains(.tokenInitialized) })
        else { throw BenchmarkFailure.noToken }
        try Array("87654321".utf8).withUnsafeBytes {
            try empty.initializeToken(securityOfficerPIN: $0, label: self.label)
        }
        try await self.setPIN(module)
    }

    /// The key provider's view of the token, logged in.
    package func open(
        module: String = BenchmarkToken.module, sessions: Int, modules: ModuleRegistry, deadlines: TokenDeadlines? = nil
    ) async throws -> TokenKeyStore {
        let profile = try DeviceProfile(contentsOf: BenchmarkToken.profiles + "/softhsm2.yaml")
        let pinFile = self.pinFile
        let store = try await TokenKeyStore.open(
            TokenConfiguration(
                modulePath: module, profile: profile, reference: KeyReference("pkcs11:token=\(self.label)"),
                maximumSessions: sessions, deadlines: deadlines),
            modules: modules, pinPolicy: PINPolicy(isRepeatable: true)
        ) {
            try SecretBytes(copying: Data(contentsOf: URL(fileURLWithPath: pinFile)))
        }
        try await store.logIn()
        return store
    }

    private func setPIN(_ module: Module) async throws {
        let token = try Token(slot: self.slot(module), maximumSessions: 1)
        let pin = Array(self.pin.utf8)
        try await token.withSession(.readWrite) { session in
            try Array("87654321".utf8).withUnsafeBytes { try session.login(.securityOfficer, pin: $0) }
            try pin.withUnsafeBytes { try session.initializeUserPIN($0) }
            try session.logout()
        }
        await token.close()
    }

    private func slot(_ module: Module) throws -> Slot {
        for slot in try module.slots() where try slot.tokenInfo().identification.label == self.label { return slot }
        throw BenchmarkFailure.noToken
    }
}

package enum BenchmarkFailure: Error {
    case noToken
    case noKey
    case noModule(String)
    case callFailed
    case commandFailed(String)
    case childFailed
    case requestNotMade
}
