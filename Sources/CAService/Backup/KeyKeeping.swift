import BackupSets
import CertificateAuthority
import KeyProvider
import PKIMessages

extension Instance {
    /// The keys of a manifest, each with how the key itself is kept.
    func withKeeping(_ keys: [BackupManifest.Key]) async throws -> [BackupManifest.Key] {
        let records = try await self.storage.read { try $0.ownCACertificates() }
        let offer = await self.makersOffer()
        var all: [BackupManifest.Key] = []
        for var key in keys {
            switch key.role {
            case .authority:
                let locator = records.compactMap(\.locator).first {
                    Hexadecimal.lower($0.publicKeySHA256) == key.publicKeySHA256
                }
                if let locator { key.keeping = try await self.keeping(of: locator, offer: offer) }
            case .exchange: key.keeping = .init(.none, "another one is made when it is lost")
            case .recoveryAgent: break
            }
            all.append(key)
        }
        return all
    }

    private func keeping(of locator: KeyLocator, offer: String?) async throws -> BackupManifest.Key.Keeping? {
        let setting = Self.copySetting(Hexadecimal.lower(locator.publicKeySHA256))
        if let token = try await self.storage.read({ try $0.setting(setting) }) { return .init(.copied, token) }
        let fileSetting = Self.keyFileSetting(Hexadecimal.lower(locator.publicKeySHA256))
        if let when = try await self.storage.read({ try $0.setting(fileSetting) }) {
            return .init(.locator, "a PKCS #12 was written at \(when)")
        }
        // `try?`: of a token that is away nothing can be said.
        guard let pair = try? await self.token(holding: locator).keyPair(locator) else { return nil }
        if pair.attributes.extractable == true {
            let isFile = try await self.wasImported(locator)
            return .init(.locator, isFile ? "a PKCS #12 may be written" : "a backup token may have a copy")
        }
        if let offer { return .init(.locator, "the device's maker offers: \(offer)") }
        return .init(.none, "it may not leave its token")
    }
}
