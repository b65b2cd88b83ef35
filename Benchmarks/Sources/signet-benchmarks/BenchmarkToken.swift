import Foundation
import KeyProvider
import PKCS11

/// A SoftHSM token in a directory of its own, for one run.
struct BenchmarkToken {
    static let module = "/usr/lib/softhsm/libsofthsm2.so"

    let directory: String
    let label: String
    let pinFile: String
    private let pin = "12345678"

    init(label: String) throws {
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

    func remove() throws {
        try FileManager.default.removeItem(atPath: self.directory)
    }

    /// The token, initialised and logged in.
    func open(_ module: Module, sessions: Int) async throws -> Token {
        let slots = try module.slots()
        if let empty = try slots.first(where: { try !$0.tokenInfo().flags.contains(.tokenInitialized) }),
            try !slots.contains(where: { try $0.tokenInfo().identification.label == self.label })
        {
            try Array("87654321".utf8).withUnsafeBytes {
                try empty.initializeToken(securityOfficerPIN: $0, label: self.label)
            }
            try await self.setPIN(module)
        }
        let token = try Token(slot: self.slot(module), maximumSessions: sessions)
        let pin = Array(self.pin.utf8)
        try await token.login(.user) { use in pin.withUnsafeBytes { use($0) } }
        return token
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

enum BenchmarkFailure: Error {
    case noToken
    case noKey
    case requestNotMade
}
