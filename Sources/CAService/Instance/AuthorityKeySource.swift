package import CertificateAuthority
import Diagnostics
package import KeyProvider
import PKCS11
package import PKIMessages

/// Where the first key of a new CA comes from.
package enum AuthorityKeySource: Sendable {
    /// Made on the token.
    case generated
    /// There already: the key that the reference names by `id` or `object`.
    case existing(KeyReference)
    /// Brought onto the token from an old software CA.
    case imported(ImportedAuthorityKey)
}

/// The certificate of a CA whose key is taken over.
package struct AdoptedCertificate: Sendable {
    /// DER; the chain above in any order.
    package let certificate: [UInt8]
    package let chain: [[UInt8]]

    package init(certificate: [UInt8], chain: [[UInt8]]) {
        self.certificate = certificate
        self.chain = chain
    }

    /// Which renewal it was, by its CA version extension; the first without one.
    func position() throws -> CACertificatePosition {
        let fields = try CertificateFields(derEncoded: self.certificate)
        let known = ExtensionDecoding(fields.extensions)
        let version = try known.caVersion() ?? 0
        guard (0...Int(UInt32.max)).contains(version) else { return .first }
        return CACertificatePosition(
            index: version & 0xFFFF, keyIndex: version >> 16, previousSHA1: try known.previousCACertificateHash())
    }
}

/// A key on a token that has just signed something, and the signature verified.
package struct ProvenKey: Sendable {
    package let pair: TokenKeyPair
    /// Those on the token that are of this key.
    package let certificates: [CertificateFields]
}

/// The keys of a token that a CA could use. One that cannot sign is never offered: Certificate Services offered broken
/// ones, and the CA failed after its installation (Q235964).
package struct AuthorityKeys: Sendable {
    /// Each has signed, and its signature verified.
    package let usable: [ProvenKey]
    /// Keys that did not sign, with the reason.
    package let unusable: [(pair: TokenKeyPair, reason: String)]

    package init(on token: any KeyToken, surroundings: Surroundings) async throws {
        var usable: [ProvenKey] = []
        var unusable: [(pair: TokenKeyPair, reason: String)] = []
        for pair in try await token.keyPairs() {
            do {
                usable.append(try await AuthorityKeys.prove(pair, on: token, surroundings: surroundings))
            } catch let error as any DiagnosableError {
                unusable.append((pair, error.headline))
            }
        }
        self.usable = usable
        self.unusable = unusable
    }

    /// Signs random bytes and verifies the signature.
    ///
    /// - Throws: what the token throws; `IssuanceError` for a key of the wrong kind, or a wrong signature.
    static func prove(
        _ pair: TokenKeyPair, on token: any KeyToken, surroundings: Surroundings
    ) async throws -> ProvenKey {
        let key = try CASigningKey(token: token, keyPair: pair)
        _ = try await key.sign(surroundings.randomBytes(32))
        let certificates = try await token.certificates(for: pair.locator).compactMap { der in
            // `try?`: what lies on a token beside a key may be anything.
            try? CertificateFields(derEncoded: der)
        }
        return ProvenKey(
            pair: pair,
            certificates: certificates.filter { $0.subjectPublicKeyInfo == key.subjectPublicKeyInfo })
    }

    /// The one key that a reference names, proven.
    ///
    /// - Throws: ``ServiceError`` with code `keyNotNamed` unless it is exactly one.
    static func find(
        _ reference: KeyReference, on token: any KeyToken, surroundings: Surroundings
    ) async throws -> ProvenKey {
        let wanted = try PKCS11URI(reference.uri)
        guard wanted.id != nil || wanted.object != nil else {
            throw ServiceError.keyNotNamed(reference.uri, fitting: [])
        }
        let pairs = try await token.keyPairs()
        let fitting = try pairs.filter { pair in
            let uri = try PKCS11URI(pair.locator.reference.uri)
            return wanted.matches(token.identification) && (wanted.id == nil || wanted.id == uri.id)
                && (wanted.object == nil || wanted.object == pair.label)
        }
        guard let pair = fitting.first, fitting.count == 1 else {
            throw ServiceError.keyNotNamed(reference.uri, fitting: fitting.map(\.locator.reference.uri))
        }
        return try await self.prove(pair, on: token, surroundings: surroundings)
    }
}

extension ServiceError {
    fileprivate static func keyNotNamed(_ uri: String, fitting: [String]) -> ServiceError {
        ServiceError(
            code: .keyNotNamed, headline: "The reference \(uri) does not name exactly one key of the token.",
            hresult: .badKeyset, facts: fitting.map { Fact("key", $0) },
            advice: ["List the usable keys with `signet ca keys`, and name one by its whole URI."])
    }
}
