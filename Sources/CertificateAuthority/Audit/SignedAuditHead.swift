package import Foundation
import PKIMessages

/// A head of the audit chain that the CA key has signed.
///
/// The statement is a CMS SignedData whose content is one line of text, so that `openssl cms -verify` shows it.
package struct SignedAuditHead: Sendable, Equatable {
    package var sequence: Int64
    package var hash: [UInt8]
    package var signedWhen: Date
    /// Number of the intent under which the key was used.
    package var number: String
    /// DER ContentInfo.
    package var statementDER: [UInt8]

    package init(sequence: Int64, hash: [UInt8], signedWhen: Date, number: String, statementDER: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
        self.signedWhen = signedWhen
        self.number = number
        self.statementDER = statementDER
    }

    /// What is signed of a head.
    static func statement(sequence: Int64, hash: [UInt8], when: Date) -> [UInt8] {
        Array(
            "signet-audit-head 1 sequence=\(sequence) sha256=\(Hexadecimal.lower(hash)) time=\(when.ISO8601Format())\n"
                .utf8)
    }

    /// Whether the statement says what the row says, signed by one of these keys.
    func verifies(with keys: [SubjectPublicKeyInfo]) -> Bool {
        // `try?`: whatever cannot be read is no statement of this head.
        guard let signed = try? SignedData(contentInfoDER: self.statementDER),
            signed.eContent
                == SignedAuditHead.statement(sequence: self.sequence, hash: self.hash, when: self.signedWhen)
        else { return false }
        return keys.contains { key in (try? signed.verifySignature(key: key)) != nil }
    }
}
