import CertificateAuthority
import Foundation
import KeyProvider

/// A CA key that has no certificate yet, kept among the instance's settings from before it is generated until its
/// certificate is stored, so that a crash leaves no key that nobody knows.
struct PendingAuthorityKey: Codable, Equatable {
    private static let setting = "ca.pending-key"

    /// `CKA_LABEL` of the key, unique among the CA's own; `nil` when it is a key that was there before.
    var label: String?
    /// `nil` while the key is being generated.
    var locator: KeyLocator?
    /// True when a request was written and its answer is awaited; else nothing of the key is of use after a crash.
    var isRequested: Bool
    /// The place of the certificate that is awaited.
    var index: Int
    var keyIndex: Int
    var previousSHA1: [UInt8]?

    init(label: String?, locator: KeyLocator? = nil, isRequested: Bool = false, position: CACertificatePosition) {
        self.label = label
        self.locator = locator
        self.isRequested = isRequested
        self.index = position.index
        self.keyIndex = position.keyIndex
        self.previousSHA1 = position.previousSHA1
    }

    /// What earlier versions wrote is the key of a first request, with its locator only.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.label = try container.decodeIfPresent(String.self, forKey: .label)
        self.locator = try container.decodeIfPresent(KeyLocator.self, forKey: .locator)
        self.isRequested = try container.decodeIfPresent(Bool.self, forKey: .isRequested) ?? true
        self.index = try container.decodeIfPresent(Int.self, forKey: .index) ?? 0
        self.keyIndex = try container.decodeIfPresent(Int.self, forKey: .keyIndex) ?? 0
        self.previousSHA1 = try container.decodeIfPresent([UInt8].self, forKey: .previousSHA1)
    }

    var position: CACertificatePosition {
        CACertificatePosition(index: self.index, keyIndex: self.keyIndex, previousSHA1: self.previousSHA1)
    }

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

    /// Forgets the key, and what the parent was asked for it.
    static func clear(_ transaction: any StorageWriting) throws {
        try transaction.setSetting(PendingAuthorityKey.setting, to: "")
        try ParentEnrollment.forget(transaction)
    }

    static func clear(in storage: any CAStorage) async throws {
        try await storage.write { try PendingAuthorityKey.clear($0) }
    }
}
