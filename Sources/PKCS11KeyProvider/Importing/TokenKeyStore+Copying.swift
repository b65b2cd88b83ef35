internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11

extension TokenKeyStore: KeyCopying {
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
