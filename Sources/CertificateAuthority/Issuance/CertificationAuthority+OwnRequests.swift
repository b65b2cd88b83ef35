import Diagnostics
import PKIMessages

/// What the CA issues by itself, or by its administrator's word: exchange, link and cross certificates. Each is a request
/// as any other: a row, intent before the signature, outcome and audit event after it, and it can be revoked.
extension CertificationAuthority {
    /// Stores a request and has it issued.
    ///
    /// - Throws: why nothing was issued, which is recorded; ``StorageError``.
    func issuing<R: Sendable>(
        _ request: RequestRecord, _ issue: @Sendable (RequestRecord) async throws -> R
    ) async throws -> R {
        let row = try await self.store(request)
        do {
            return try await issue(row)
        } catch {
            let result = try await self.recordFailure(error, row: row)
            throw result.failure ?? IssuanceError.unexpected("\(type(of: error))")
        }
    }

    /// Signs a certificate and stores it with its outcome.
    ///
    /// - Parameters:
    ///   - signer: the newest key when not given.
    ///   - store: stores in the same transaction what else is known of the certificate.
    /// - Returns: what `store` returns.
    /// - Throws: ``RequestFailure``, with the intent to close once there is one; ``StorageError``.
    func issue<R: Sendable>(
        _ content: CertificateContent, row: RequestRecord, by signer: CASigner? = nil,
        storing store: @escaping @Sendable (any StorageWriting, CertificateFields) throws -> R
    ) async throws -> R {
        let issued = try await self.sign(content, row: row, by: signer)
        let now = self.surroundings.now()
        let outcome = self.outcome(issued, row: row.with(.issued, .ok, "Issued").resolved(at: now), at: now)
        return try await self.recording(issued.intentID) {
            try await self.storage.write { db in
                try outcome.store(in: db)
                return try store(db, issued.fields)
            }
        }
    }
}
