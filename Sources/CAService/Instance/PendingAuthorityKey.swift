import CertificateAuthority
import Foundation
import KeyProvider

/// The CA key that has been generated and waits for its certificate, kept among the instance's settings.
struct PendingAuthorityKey: Codable {
    private static let setting = "ca.pending-key"

    let locator: KeyLocator

    func store(in storage: any CAStorage) async throws {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        try await storage.write { try $0.setSetting(PendingAuthorityKey.setting, to: text) }
    }

    /// `nil` when no request of this instance waits for an answer.
    static func load(from storage: any CAStorage) async throws -> PendingAuthorityKey? {
        let text = try await storage.read { try $0.setting(PendingAuthorityKey.setting) }
        guard let text, !text.isEmpty else { return nil }
        return try JSONDecoder().decode(PendingAuthorityKey.self, from: Data(text.utf8))
    }

    static func clear(in storage: any CAStorage) async throws {
        try await storage.write { try $0.setSetting(PendingAuthorityKey.setting, to: "") }
    }
}
