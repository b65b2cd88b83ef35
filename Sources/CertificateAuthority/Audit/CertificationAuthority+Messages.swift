import Diagnostics
import Foundation
package import PKIMessages

/// What the CA key signs beside certificates and CRLs. Each use of the key has an intent before it, and an outcome with
/// an audit event after it: that is the ledger which `signet audit verify` reconciles.
extension CertificationAuthority {
    /// Signs a CMS message with the CA key: recovery blobs, full responses.
    ///
    /// - Parameters:
    ///   - draft: made with ``signerIdentifier`` and ``signatureAlgorithm``.
    ///   - purpose: for the audit chain.
    ///   - requestID: the request that the message is about.
    /// - Returns: the DER ContentInfo.
    package func signedMessage(
        _ draft: SignedDataDraft, purpose: String = "message", requestID: Int64? = nil
    ) async throws -> [UInt8] {
        let planned = try self.plan(draft, purpose: purpose, requestID: requestID)
        let intentID = try await self.storage.write { try $0.insert(planned.intent) }
        return try await self.sign(planned, intentID: intentID)
    }

    /// A message that the CA key is to sign, once its intent is stored.
    struct PlannedMessage: Sendable {
        fileprivate let draft: SignedDataDraft
        fileprivate let use: KeyUseIntent
        let intent: SigningIntent
    }

    func plan(_ draft: SignedDataDraft, purpose: String, requestID: Int64?) throws -> PlannedMessage {
        let use = KeyUseIntent(
            kind: .message, number: Hexadecimal.upper(try self.surroundings.randomBytes(16)), requestID: requestID,
            purpose: purpose)
        return PlannedMessage(draft: draft, use: use, intent: try self.intent(draft, use))
    }

    /// - Parameter intentID: of the stored intent.
    func sign(_ planned: PlannedMessage, intentID: Int64) async throws -> [UInt8] {
        let (draft, use) = (planned.draft, planned.use)
        return try await self.sign(draft, use, intentID: intentID) { [self] db, _ in
            try db.append(
                self.event(
                    .messageSigned, who: Principal.service.name,
                    [
                        "Number": use.number, "Purpose": use.purpose,
                        "Request ID": use.requestID.map { "\($0)" } ?? "",
                        "SHA-256": Hexadecimal.lower(Digest.sha256.hash(draft.bytesToSign)),
                    ]))
        }
    }

    /// Signs a text that the CA vouches for: SignedData with the content and the CA's chain in it.
    ///
    /// - Parameter purpose: for the audit chain.
    /// - Returns: the DER ContentInfo.
    package func signedStatement(_ content: [UInt8], purpose: String) async throws -> [UInt8] {
        try await self.signedMessage(self.statement(content), purpose: purpose)
    }

    private func statement(_ content: [UInt8]) throws -> SignedDataDraft {
        try SignedDataDraft(
            eContentType: OID.data, eContent: content, signer: .issuerAndSerialNumber(self.signerIdentifier),
            signatureAlgorithm: self.signatureAlgorithm, certificates: self.chainDER)
    }

    /// Signs the head of the audit chain, unless nothing was recorded since the last one.
    ///
    /// - Returns: `nil` when there was nothing to sign.
    package func signAuditHead() async throws -> SignedAuditHead? {
        let (head, latest) = try await self.storage.read { (try $0.auditHead(), try $0.latestSignedAuditHead()) }
        guard let head else { return nil }
        if let latest, head.sequence <= latest.sequence + 1, head.event.id == .auditHeadSigned { return nil }
        let when = self.surroundings.now().wholeSeconds
        let number = "\(head.sequence)-" + Hexadecimal.upper(try self.surroundings.randomBytes(4))
        let draft = try self.statement(
            SignedAuditHead.statement(sequence: head.sequence, hash: head.hash, when: when))
        let use = KeyUseIntent(kind: .auditHead, number: number, requestID: nil, purpose: "audit head")
        let intent = try self.intent(draft, use)
        let intentID = try await self.storage.write { try $0.insert(intent) }
        let statement = try await self.sign(draft, use, intentID: intentID) { [self] db, statement in
            try db.insert(
                SignedAuditHead(
                    sequence: head.sequence, hash: head.hash, signedWhen: when, number: number,
                    statementDER: statement))
            try db.append(
                self.event(
                    .auditHeadSigned, who: Principal.service.name,
                    ["Number": number, "Sequence": "\(head.sequence)", "Hash": Hexadecimal.lower(head.hash)]))
        }
        return SignedAuditHead(
            sequence: head.sequence, hash: head.hash, signedWhen: when, number: number, statementDER: statement)
    }

    fileprivate struct KeyUseIntent: Sendable {
        var kind: SigningIntent.Kind
        var number: String
        var requestID: Int64?
        var purpose: String
    }

    private func intent(_ draft: SignedDataDraft, _ use: KeyUseIntent) throws -> SigningIntent {
        guard draft.signatureAlgorithm == self.signingKey.algorithm else {
            throw IssuanceError.unsupportedKeyOperation("sign a message with another algorithm than the CA key's")
        }
        return SigningIntent(
            kind: use.kind, requestID: use.requestID, number: use.number,
            toBeSignedSHA256: Digest.sha256.hash(draft.bytesToSign), caKeyIndex: self.currentSigner.keyIndex,
            createdWhen: self.surroundings.now())
    }

    /// Signature and outcome of what was announced.
    private func sign(
        _ draft: SignedDataDraft, _ use: KeyUseIntent, intentID: Int64,
        storing store: @escaping @Sendable (any StorageWriting, [UInt8]) throws -> Void
    ) async throws -> [UInt8] {
        do {
            let message = try draft.assemble(signature: await self.signingKey.sign(draft.bytesToSign))
            try await self.storage.write { [self] db in
                try db.closeIntent(intentID, outcome: .completed, at: self.surroundings.now())
                try store(db, message)
            }
            return message
        } catch {
            let failure = RequestFailure(.signing, error, intentID: intentID)
            let event = self.event(
                failure.auditEventID, who: Principal.service.name,
                failure.auditDetails.merging(["Purpose": use.purpose]) { own, _ in own })
            try await self.storage.write { [self] db in
                try db.closeIntent(intentID, outcome: .failed, at: self.surroundings.now())
                try db.append(event)
            }
            throw failure.error
        }
    }
}
