package import KeyProvider
import PKIMessages

/// Remembers which keys have returned a wrong signature, across restarts.
package protocol KeyStopping: Sendable {
    func isStopped(_ key: KeyLocator) async throws -> Bool
    func stop(_ key: KeyLocator) async throws
}

/// The stops among an instance's settings. Only an operator takes one away (`signet ca release-key`).
package struct StoredKeyStops: KeyStopping {
    private static let stopped = "stopped"
    private let storage: any CAStorage

    package init(storage: any CAStorage) {
        self.storage = storage
    }

    package func isStopped(_ key: KeyLocator) async throws -> Bool {
        try await self.storage.read { try $0.setting(StoredKeyStops.name(of: key)) == StoredKeyStops.stopped }
    }

    package func stop(_ key: KeyLocator) async throws {
        try await self.storage.write { try $0.setSetting(StoredKeyStops.name(of: key), to: StoredKeyStops.stopped) }
    }

    /// For the transaction in which an operator releases the key.
    ///
    /// - Returns: false when it was not stopped.
    package static func release(_ key: KeyLocator, in db: any StorageWriting) throws -> Bool {
        guard try db.setting(StoredKeyStops.name(of: key)) == StoredKeyStops.stopped else { return false }
        try db.setSetting(StoredKeyStops.name(of: key), to: "")
        return true
    }

    private static func name(of key: KeyLocator) -> String {
        "key-stopped." + Hexadecimal.lower(key.publicKeySHA256)
    }
}
