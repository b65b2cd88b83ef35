import Foundation
import PKIMessages

/// Puts a use of a CA key into the ledger that happens before there is a ``CertificationAuthority``: the signature of the
/// PKCS #10 by which a subordinate CA asks for its certificate. Intent before the token is asked, outcome and event after.
struct KeyUseRecorder: Sendable {
    let storage: any CAStorage
    let surroundings: Surroundings
    /// Of the key: 0 for the CA's first.
    let keyIndex: Int
    /// For the audit chain.
    let purpose: String

    /// - Throws: what the token throws, recorded; ``StorageError``.
    func sign(_ bytes: [UInt8], with key: CASigningKey) async throws -> [UInt8] {
        let number = Hexadecimal.upper(try self.surroundings.randomBytes(16))
        let hash = Digest.sha256.hash(bytes)
        let intent = SigningIntent(
            kind: .message, requestID: nil, number: number, toBeSignedSHA256: hash, caKeyIndex: self.keyIndex,
            createdWhen: self.surroundings.now())
        let intentID = try await self.storage.write { try $0.insert(intent) }
        let signature: [UInt8]
        do { signature = try await key.sign(bytes) } catch {
            throw await self.recordFailure(RequestFailure(.signing, error, intentID: intentID))
        }
        let event = self.event(
            .messageSigned,
            ["Number": number, "Purpose": self.purpose, "Request ID": "", "SHA-256": Hexadecimal.lower(hash)])
        let now = self.surroundings.now()
        try await self.storage.write { db in
            try db.closeIntent(intentID, outcome: .completed, at: now)
            try db.append(event)
        }
        return signature
    }

    /// - Returns: the error to throw. When the database does not take it, start-up settles the intent.
    private func recordFailure(_ failure: RequestFailure) async -> any Error {
        let event = self.event(
            failure.auditEventID, failure.auditDetails.merging(["Purpose": self.purpose]) { own, _ in own })
        let now = self.surroundings.now()
        do {
            try await self.storage.write { db in
                if let intentID = failure.intentID { try db.closeIntent(intentID, outcome: .failed, at: now) }
                try db.append(event)
            }
        } catch {
            return failure.error
        }
        return failure.error
    }

    private func event(_ id: AuditEventID, _ details: [String: String]) -> AuditEvent {
        AuditEvent(id, when: self.surroundings.now(), who: Principal.service.name, details: details)
    }
}
