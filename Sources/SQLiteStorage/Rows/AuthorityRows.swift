import CertificateAuthority
import GRDB
import KeyProvider

extension SigningIntent {
    init(_ row: RowReader) throws {
        self.init(
            intentID: try row.integer("intent_id"), kind: try row.word("kind"),
            requestID: try row.integerIfPresent("request_id"), number: try row.text("number"),
            toBeSignedSHA256: try row.bytes("tbs_sha256"), caKeyIndex: try row.int("ca_key_index"),
            createdWhen: try row.date("created_when"), outcome: try row.word("outcome"),
            closedWhen: try row.dateIfPresent("closed_when"))
    }

    /// In the order of ``insertion``.
    func values(owner: Int64?) -> [StoredValue] {
        [
            .text(self.kind.rawValue), .integer(self.requestID), .text(self.number), .blob(self.toBeSignedSHA256),
            .integer(self.caKeyIndex), .integer(self.createdWhen.stored), .text(self.outcome.rawValue),
            .integer(self.closedWhen?.stored), .integer(owner),
        ]
    }

    static let insertion = """
        INSERT INTO intent (kind, request_id, number, tbs_sha256, ca_key_index, created_when, outcome, closed_when,
            owner)
        VALUES (:kind, :request_id, :number, :tbs_sha256, :ca_key_index, :created_when, :outcome, :closed_when,
            :owner)
        """

    /// It has one outcome.
    static let closing =
        "UPDATE intent SET outcome = ?, closed_when = ? WHERE intent_id = ? AND outcome = 'open'"

    static let named = """
        SELECT * FROM intent
        WHERE kind = :kind AND number = :number AND \(Schema.orderOfNumbers) = substr(:number, -8)
        """

    static let open = "SELECT * FROM intent WHERE outcome = 'open' ORDER BY intent_id"
}

extension CACertificateRecord {
    init(_ row: RowReader) throws {
        let hasKey = try row.textIfPresent("key_reference") != nil
        self.init(
            use: try row.word("use"), index: try row.int("certificate_index"), keyIndex: try row.int("key_index"),
            certificateDER: try row.bytes("certificate_der"),
            locator: hasKey ? try row.locator(reference: "key_reference", hash: "key_sha256") : nil)
    }

    var columns: StatementArguments {
        [
            "use": self.use.rawValue, "certificate_index": self.index, "key_index": self.keyIndex,
            "certificate_der": self.certificateDER.stored, "key_reference": self.locator?.reference.uri,
            "key_sha256": self.locator?.publicKeySHA256.stored,
        ]
    }

    static let insertion = """
        INSERT INTO ca_certificate (use, certificate_index, key_index, certificate_der, key_reference, key_sha256)
        VALUES (:use, :certificate_index, :key_index, :certificate_der, :key_reference, :key_sha256)
        """

    /// This CA's own, newest first, then the chain upwards, then the links between its keys.
    static let selection = """
        SELECT * FROM ca_certificate
        ORDER BY use = 'own' DESC, use = 'chain' DESC, CASE use WHEN 'own' THEN -certificate_index ELSE certificate_index END
        """
}

extension ExchangeCertificateRecord {
    init(_ row: RowReader) throws {
        self.init(
            requestID: try row.integer("request_id"), certificateDER: try row.bytes("certificate_der"),
            locator: try row.locator(reference: "key_reference", hash: "key_sha256"),
            notBefore: try row.date("not_before"), notAfter: try row.date("not_after"),
            retiredWhen: try row.dateIfPresent("retired_when"))
    }

    var columns: StatementArguments {
        [
            "request_id": self.requestID, "certificate_der": self.certificateDER.stored,
            "key_reference": self.locator.reference.uri, "key_sha256": self.locator.publicKeySHA256.stored,
            "not_before": self.notBefore.stored, "not_after": self.notAfter.stored,
        ]
    }

    static let insertion = """
        INSERT INTO exchange_certificate (request_id, certificate_der, key_reference, key_sha256, not_before, not_after)
        VALUES (:request_id, :certificate_der, :key_reference, :key_sha256, :not_before, :not_after)
        """
}
