import Foundation

extension CertificationAuthority {
    /// Proves that a CA key is there and is the one of its certificate: it signs a statement that nobody sees. The use is in
    /// the ledger like every other.
    ///
    /// - Parameters:
    ///   - purpose: for the audit chain.
    ///   - ledger: the database in which the use is booked; `nil` for the CA's own.
    /// - Throws: what the token throws; ``IssuanceError`` with code `wrongSignature`.
    package func prove(
        _ signer: CASigner, purpose: String, ledger: (any CAStorage)? = nil
    ) async throws {
        let statement =
            "signet-key-proof 1 key=\(signer.keyIndex) time=\(self.surroundings.now().ISO8601Format())\n"
        let recorder = KeyUseRecorder(
            storage: ledger ?? self.storage, surroundings: self.surroundings, keyIndex: signer.keyIndex,
            purpose: purpose)
        _ = try await recorder.sign(Array(statement.utf8), with: signer.signingKey)
    }
}
