/// Takes the permission to be wrapped from a private key, for ever: `CKA_EXTRACTABLE` goes from true to false and never back
/// (PKCS #11 v2.40, table 34).
public protocol ExtractionForbidding: Sendable {
    /// Makes a key non-extractable, and asks the token whether it is. A key that is so already stays.
    ///
    /// - Returns: the pair as the token shows it then.
    /// - Throws: ``KeyProviderError``: `keyNotFound`, `keyMismatch`, `keyNotProven` when the token still says otherwise.
    func forbidExtraction(of key: KeyLocator) async throws -> TokenKeyPair
}
