import Foundation
import PKIMessages

/// A list that was signed to prove that it could be.
package struct SignedTestList: Sendable, Equatable {
    package var entries: Int
    package var byteCount: Int
}

extension CertificationAuthority {
    /// Signs a list of everything that this database has as revoked, and gives it to nobody: proof that database and key make
    /// lists. It has number 0 and ended when the CA began, so that whoever found it had no use of it.
    ///
    /// - Parameters:
    ///   - ledger: the database in which the use of the key is booked.
    ///   - purpose: for the audit chain.
    /// - Throws: what the token throws, recorded; ``IssuanceError``; ``StorageError``.
    package func signTestList(
        _ signer: CASigner, ledger: any CAStorage, purpose: String
    ) async throws -> SignedTestList {
        let scope = CRLScope(caKeyIndex: signer.keyIndex, shard: 0)
        let (configuration, now) = (self.configuration, self.surroundings.now())
        let drafts = try await self.storage.readInBackground { db in
            try CRLSnapshot(
                number: db.highestCRLNumber(), scope: scope, kinds: [.base], signer: signer,
                configuration: configuration, now: now
            ).drafts(db)
        }
        guard let draft = drafts?.first else {
            throw IssuanceError.invalidConfiguration("the test list", "another process publishes lists")
        }
        var list = draft.list
        list.number = 0
        list.thisUpdate = signer.issuer.certificate.notBefore.wholeSeconds
        list.nextUpdate = list.thisUpdate.addingTimeInterval(1)
        list.nextPublish = nil
        let test = try CRLDraft(
            list: list, kind: .base, scope: scope, issuedWhen: now, changeNumber: draft.changeNumber,
            entryCount: draft.entryCount, entries: draft.entries)
        let recorder = KeyUseRecorder(
            storage: ledger, surroundings: self.surroundings, keyIndex: signer.keyIndex, purpose: purpose)
        let key = signer.signingKey
        let signature = try await recorder.sign(test.toBeSigned(), with: key)
        let record = try test.signed(signature, algorithm: key.algorithm, directory: nil)
        guard
            try CertificateListFields(derEncoded: record.crlDER)
                .isSigned(by: signer.issuer.certificate.subjectPublicKeyInfo)
        else { throw IssuanceError.invalidConfiguration("the test list", "it does not verify with the CA certificate") }
        return SignedTestList(entries: test.entryCount, byteCount: record.crlDER.count)
    }
}
