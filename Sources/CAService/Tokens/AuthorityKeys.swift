import CertificateAuthority
import Diagnostics
package import KeyProvider
import PKCS11
import PKIMessages

extension Instance {
    /// One for each of the CA's keys, each on the token where it was made. Tokens are opened when they first sign, so
    /// that an old key whose token is away fails its CRL and nothing else.
    func signingKeys(of certificates: [CACertificateRecord]) throws -> [CASigningKey] {
        let own = certificates.filter { $0.use == .own }
        let newestOfKey = Dictionary(own.map { ($0.keyIndex, $0) }) { $0.index > $1.index ? $0 : $1 }
        return try newestOfKey.values.map { record in
            guard let locator = record.locator else { throw ServiceError.notInstalled(self.configuration.name) }
            return try CASigningKey(
                token: self.lazyToken(holding: locator), locator: locator,
                subjectPublicKeyInfo: CertificateFields(derEncoded: record.certificateDER).subjectPublicKeyInfo,
                digest: self.configuration.hashAlgorithm,
                stops: StoredKeyStops(storage: self.storage, now: self.surroundings.now))
        }
    }

    /// The token of the configuration that a key's reference fits; the signing token when it can be that one.
    ///
    /// None is opened before it has to sign. A reference that fits no token fails then, by name.
    private func lazyToken(holding locator: KeyLocator) -> LazyToken {
        LazyToken { try await self.token(holding: locator) }
    }

    /// The same, opened now.
    package func token(holding locator: KeyLocator) async throws -> any KeyToken {
        try await self.token(holding: locator, preferring: self.configuration.signingToken)
    }

    /// The token that has an exchange key: a former one may be on another token than the next will be made on.
    func exchangeToken(holding locator: KeyLocator) async throws -> any KeyToken {
        try await self.token(holding: locator, preferring: self.configuration.exchangeToken)
    }

    /// Where the exchange keys of some certificates are.
    func exchangeTokenNames(of records: [ExchangeCertificateRecord]) throws -> Set<String> {
        Set(
            try records.map { record in
                try self.tokenName(holding: record.locator, preferring: self.configuration.exchangeToken)
                    ?? self.configuration.exchangeToken
            })
    }

    private func token(holding locator: KeyLocator, preferring first: String) async throws -> any KeyToken {
        if let name = try self.tokenName(holding: locator, preferring: first) {
            return try await self.token(named: name)
        }
        // A token that is described wrongly, or absent, is the more useful thing to be told of.
        _ = try await self.token(named: first)
        throw ServiceError.noTokenForKey(locator.reference.uri)
    }

    private func tokenName(holding locator: KeyLocator, preferring first: String) throws -> String? {
        let key = try PKCS11URI(locator.reference.uri)
        return try ([first] + self.configuration.tokens.keys.sorted().filter { $0 != first }).first { name in
            guard let token = self.configuration.tokens[name] else { throw ServiceError.unknownToken(name) }
            return try PKCS11URI(token.token).canBeSameToken(as: key)
        }
    }
}

extension PKCS11URI {
    /// False when both name a token's label or serial number, and another one.
    fileprivate func canBeSameToken(as other: PKCS11URI) -> Bool {
        func agree(_ one: String?, _ two: String?) -> Bool { one == nil || two == nil || one == two }
        return agree(self.token, other.token) && agree(self.serial, other.serial)
    }
}

extension ServiceError {
    fileprivate static func noTokenForKey(_ uri: String) -> ServiceError {
        ServiceError(
            code: .unknownToken, headline: "signet.yaml has no token that could hold the key \(uri).",
            hresult: .objectNotFound,
            advice: ["Describe the token of the old key under `tokens:` in signet.yaml: the key cannot be used else."]
        )
    }
}
