package import CertificateAuthority
import Diagnostics
package import KeyProvider
import PKIMessages

/// A CA key of which a backup token has a copy now.
package struct CopiedKey: Sendable {
    package var keyIndex: Int
    package var source: String
    /// `nil` when the copy was there already.
    package var copy: String?
}

extension Instance {
    /// Copies every CA key to a backup token, which then is a spare one: the private key goes from token to token under a key
    /// that the source makes and that is encrypted to one that the target makes, and is plaintext nowhere (RFC 5649). The copy
    /// is proven there. Only of keys that were generated with that permission. Audit event 10014.
    ///
    /// - Throws: `RequestError` without the role of backup operator; ``ServiceError`` with code `keyLeavesNoToken` (0x8009000b)
    ///   for a key without the permission, before anything is copied; `KeyProviderError`. Copies that were made stay.
    package func copyKeys(to target: any KeyToken, by who: Principal) async throws -> [CopiedKey] {
        try who.mustBeAllowed(.backUp, to: "back the CA's keys up")
        let source = try await self.token(named: self.configuration.signingToken)
        let pairs = try await self.copyableKeys(on: source, for: target)
        let present = Set(try await target.keyPairs().map(\.locator.publicKeySHA256))
        var copies: [CopiedKey] = []
        for (keyIndex, pair) in pairs {
            var copied = CopiedKey(keyIndex: keyIndex, source: pair.locator.reference.uri)
            if !present.contains(pair.locator.publicKeySHA256) {
                let made = try await self.copy(pair, from: source, to: target)
                copied.copy = made.locator.reference.uri
                try await self.record(
                    .keyCopied, by: who,
                    details: made.auditDetails(on: target).merging(["Source": copied.source]) { own, _ in own })
            }
            // Whoever was killed after the copy was there has left it.
            try await target.removeReceivers(of: pair.label)
            let sha256 = Hexadecimal.lower(pair.locator.publicKeySHA256)
            let place = "\(target.identification)"
            try await self.storage.write { try $0.setSetting(Self.copySetting(sha256), to: place) }
            copies.append(copied)
        }
        return copies
    }

    /// - Throws: as ``copyKeys(to:by:)``, when one of them has not the permission.
    private func copyableKeys(
        on source: any KeyToken, for target: any KeyToken
    ) async throws -> [(keyIndex: Int, pair: TokenKeyPair)] {
        let own = try await self.storage.read { try $0.ownCACertificates() }
        var pairs: [(keyIndex: Int, pair: TokenKeyPair)] = []
        for (record, locator) in own.newestOfEachPlacedKey.reversed() {
            let pair = try await source.keyPair(locator)
            guard pair.attributes.extractable == true else {
                throw try await self.keyLeavesNoToken(file: "the token \(target.identification)")
            }
            pairs.append((record.keyIndex, pair))
        }
        return pairs
    }

    /// Which backup token has a copy of a key, as it was last proven.
    static func copySetting(_ publicKeySHA256: String) -> String { "backup.key-copy.\(publicKeySHA256)" }

    private func copy(
        _ pair: TokenKeyPair, from source: any KeyToken, to target: any KeyToken
    ) async throws -> TokenKeyPair {
        let common = source.oaepHashes.first { target.oaepHashes.contains($0) }
        let transport = common.map { KeyTransportAlgorithm.rsaOAEP($0) } ?? .rsaPKCS1v15
        return try await target.storeCopy(
            KeyPairCopy(
                specification: KeyPairSpecification(
                    algorithm: pair.algorithm, role: .caSigning, label: pair.label, certificateBytes: 0,
                    mayBeCopied: true), subjectPublicKeyInfo: pair.subjectPublicKeyInfo)
        ) { try await source.wrappedCopy(of: pair.locator, to: $0, transport: transport) }
    }
}
