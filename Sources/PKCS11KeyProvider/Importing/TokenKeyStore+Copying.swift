internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11

extension TokenKeyStore: KeyCopying {
    static func receiverLabel(_ label: String) -> String { "receives \(label)" }

    public func removeReceivers(of label: String) async throws {
        for pair in try await self.keyPairs() where pair.label == TokenKeyStore.receiverLabel(label) {
            // A receiver has none: what has one is somebody's.
            guard pair.algorithm.isRSA, try await self.certificates(for: pair.locator).isEmpty else { continue }
            try await self.removeKeyPair(pair.locator)
        }
    }

    public func storeCopy(
        _ copy: KeyPairCopy, wrap: (_ receiver: [UInt8]) async throws -> WrappedKeyPair
    ) async throws -> TokenKeyPair {
        let specification = copy.specification
        let operation = "copy the key \"\(specification.label)\" to the token \(self.identification)"
        guard self.canRewrapPrivateKey(of: copy.subjectPublicKeyInfo), let mechanism = self.profile.keyWrapPadded else {
            throw KeyProviderError.unsupported(
                operation: operation,
                reason: "the device has no AES key wrap with padding for private keys, says \(self.profile.name)",
                advice: "Copy the key by the means of the device's maker.")
        }
        let rules = self.profile.template
        let unwrappingKey = try TransientTemplates.unwrappedSecretKey(.aes256)
            .inSession(of: .secretKey, rules, operation: operation)
        return try await self.receiving(specification.label, wrap, operation: operation) { wrapped, resolver in
            try await self.adopting(
                specification, copy.subjectPublicKeyInfo, operation: operation
            ) { session, privateKey in
                try session.unwrap(
                    wrapped, with: resolver.find(session).handle, mechanism, unwrappingKey: unwrappingKey,
                    privateKey: privateKey.unwrapping(
                        copy.subjectPublicKeyInfo, specification.algorithm, rules, operation: operation))
            }
        }
    }
}
