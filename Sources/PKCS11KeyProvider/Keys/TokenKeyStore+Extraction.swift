internal import DeviceProfiles
public import KeyProvider
internal import PKCS11

extension TokenKeyStore {
    public func forbidExtraction(of key: KeyLocator) async throws -> TokenKeyPair {
        let operation = "make the key \(key.reference) non-extractable"
        let resolver = try KeyResolver(key, token: self.identification, operation: operation)
        return try await self.gate.exclusively {
            try await self.withSession(.readWrite, isNew: true, operation: operation) { session in
                let found = try resolver.find(session).handle
                guard try session.keyAttributes(of: found).extractable != false else { return }
                var template = AttributeTemplate()
                template[.extractable] = false
                try session.setAttributes(of: found, to: template)
            }
            // In a session of its own: a change for one session alone must not pass.
            return try await self.withSession(isNew: true, operation: operation) { session in
                let pair = try self.keyPair(resolver.find(session), session, operation)
                guard pair.attributes.extractable == false else {
                    throw KeyProviderError.notProven(
                        operation: operation, reason: "the token says that the key is extractable still")
                }
                return pair
            }
        }
    }
}
