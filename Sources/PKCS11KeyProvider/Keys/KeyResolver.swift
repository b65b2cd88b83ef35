internal import Diagnostics
internal import KeyProvider
internal import PKCS11

/// Finds the one private key that a locator means, on a given session.
struct KeyResolver: Sendable {
    let locator: KeyLocator
    let uri: PKCS11URI
    let id: [UInt8]
    let token: TokenIdentification
    let operation: String

    /// - Throws: ``KeyProviderError`` `invalidReference` when the locator names no `CKA_ID`, `keyNotFound` when it
    ///   names another token.
    init(_ locator: KeyLocator, token: TokenIdentification, operation: String) throws(KeyProviderError) {
        let uri = try TokenKeyStore.uri(locator.reference, operation: operation)
        guard let id = uri.id, !id.isEmpty, uri.type == nil || uri.type == .privateKey else {
            throw .invalidReference(uri, operation: operation, reason: "it does not name the CKA_ID of a private key")
        }
        guard uri.matches(token) else { throw .keyNotFound(uri, operation: operation, token: token) }
        self.locator = locator
        self.uri = uri
        self.id = id
        self.token = token
        self.operation = operation
    }

    /// - Throws: ``PKCS11Error``, or ``KeyProviderError`` `keyNotFound` and `keyMismatch`.
    func find(_ session: Session) throws -> PrivateKeyObject {
        let candidates = try session.privateKeys(id: self.id)
        let found = try candidates.first { key in
            try TokenKeyStore.publicKeySHA256(key.subjectPublicKeyInfo, operation: self.operation)
                == self.locator.publicKeySHA256
        }
        if let found { return found }
        throw candidates.isEmpty
            ? KeyProviderError.keyNotFound(self.uri, operation: self.operation, token: self.token)
            : KeyProviderError.keyMismatch(self.uri, operation: self.operation, token: self.token)
    }

    /// Whether the key pair is there, or what a removal that stopped half-way has left of it: a private key on a curve, of which
    /// nothing tells the public key any more. Its `CKA_ID` is that of the locator, which no other key has.
    ///
    /// - Throws: as ``find(_:)``.
    func mustBeRemovable(_ session: Session) throws {
        do {
            _ = try self.find(session)
        } catch let error as KeyProviderError where error.code == .keyNotFound {
            let halves = try session.find(.privateKey, id: self.id)
            guard halves.count == 1, try session.find(.publicKey, id: self.id).isEmpty else { throw error }
        }
    }
}
