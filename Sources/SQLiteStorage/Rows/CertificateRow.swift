import CertificateAuthority
import GRDB

extension CertificateRecord {
    init(_ row: RowReader) throws {
        self.init(
            requestID: try row.integer("request_id"), serialNumber: try row.text("serial_number"),
            certificateDER: try row.bytes("certificate_der"), sha1Thumbprint: try row.bytes("sha1_thumbprint"),
            sha256Thumbprint: try row.bytes("sha256_thumbprint"), subject: try row.text("subject"),
            commonName: try row.textIfPresent("common_name"),
            userPrincipalName: try row.textIfPresent("user_principal_name"),
            requesterName: try row.text("requester_name"), templateName: try row.textIfPresent("template_name"),
            subjectKeyIdentifier: try row.bytes("subject_key_identifier"), notBefore: try row.date("not_before"),
            notAfter: try row.date("not_after"), caKeyIndex: try row.int("ca_key_index"),
            crlShard: try row.int("crl_shard"), revocation: try Revocation(row))
    }

    /// In the order of ``insertion``.
    var values: [StoredValue] {
        [
            .integer(self.requestID), .text(self.serialNumber), .blob(self.certificateDER),
            .blob(self.sha1Thumbprint), .blob(self.sha256Thumbprint), .text(self.subject), .text(self.commonName),
            .text(self.userPrincipalName), .text(self.requesterName), .text(self.templateName),
            .blob(self.subjectKeyIdentifier), .integer(self.notBefore.stored), .integer(self.notAfter.stored),
            .integer(self.caKeyIndex), .integer(self.revocation?.reason),
            .integer(self.revocation?.revokedWhen.stored), .integer(self.revocation?.effectiveWhen.stored),
            .integer(self.revocation?.invalidityWhen?.stored), .integer(self.crlShard),
        ]
    }

    static let insertion = """
        INSERT INTO certificate (request_id, serial_number, certificate_der, sha1_thumbprint, sha256_thumbprint,
            subject, common_name, user_principal_name, requester_name, template_name, subject_key_identifier,
            not_before, not_after, ca_key_index, revocation_reason, revoked_when, revocation_effective_when,
            invalidity_when, crl_shard)
        VALUES (:request_id, :serial_number, :certificate_der, :sha1_thumbprint, :sha256_thumbprint,
            :subject, :common_name, :user_principal_name, :requester_name, :template_name, :subject_key_identifier,
            :not_before, :not_after, :ca_key_index, :revocation_reason, :revoked_when, :revocation_effective_when,
            :invalidity_when, :crl_shard)
        """

    /// Each of the ways in which a term can name a certificate, by an index of its own.
    private static let byText = """
        SELECT request_id FROM certificate WHERE common_name = :text
            UNION SELECT request_id FROM certificate WHERE user_principal_name = :text
            UNION SELECT request_id FROM request WHERE requester_name = :text COLLATE NOCASE
            UNION SELECT request_id FROM certificate WHERE serial_number = :serial
        """

    /// For a term that is no hexadecimal number.
    static let searchByText = "SELECT * FROM certificate WHERE request_id IN (\(byText))"

    /// For one that is: a hash is in one of the parts of its index.
    static let search = """
        WITH RECURSIVE part (number) AS (
            SELECT 0 UNION ALL
            SELECT number + 1 FROM part WHERE number < (SELECT MAX(request_id) FROM certificate) >> \(Schema.partBits))
        SELECT * FROM certificate WHERE request_id IN (
            \(byText)
            UNION \(byHash("sha1_thumbprint"))
            UNION \(byHash("sha256_thumbprint"))
            UNION \(byHash("subject_key_identifier")))
        """

    /// The index has only the hash's beginning, and in every part.
    private static func byHash(_ column: String) -> String {
        """
        SELECT request_id FROM part CROSS JOIN certificate
            WHERE \(Schema.partOfHashes) = part.number
                AND \(Schema.beginning(of: column)) = \(Schema.beginning(of: ":bytes")) AND \(column) = :bytes
        """
    }

    static let onlyArchived = " AND EXISTS (SELECT 1 FROM archived_key k WHERE k.request_id = certificate.request_id)"
}

extension CertificateRecord.Revocation {
    /// `nil` for a certificate that is not revoked.
    fileprivate init?(_ row: RowReader) throws {
        guard let reason = try row.integerIfPresent("revocation_reason") else { return nil }
        self.init(
            reason: Int(reason), revokedWhen: try row.date("revoked_when"),
            effectiveWhen: try row.date("revocation_effective_when"),
            invalidityWhen: try row.dateIfPresent("invalidity_when"))
    }
}

/// A search term in the forms in which the tables hold names, serial numbers and hashes.
struct SearchTerm {
    let text: String
    let serial: String
    let bytes: [UInt8]?

    /// Hexadecimal digits may have blanks, colons or hyphens between them, as tools print them.
    init(_ term: String) {
        let separators: Set<Character> = [" ", ":", "-", "\t"]
        let digits = term.filter { !separators.contains($0) }.uppercased()
        self.text = term
        self.serial = digits
        self.bytes = [UInt8](hexadecimal: digits)
    }
}

extension [UInt8] {
    /// `nil` for an odd number of digits, none, or anything that is not a digit.
    fileprivate init?(hexadecimal digits: String) {
        let values = digits.utf8.compactMap { UInt8(exactly: Character(UnicodeScalar($0)).hexDigitValue ?? 256) }
        guard values.count == digits.utf8.count, values.count % 2 == 0, !values.isEmpty else { return nil }
        self = stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
