import CertificateAuthority
import Foundation
import GRDB

extension CRLRecord {
    init(_ row: RowReader) throws {
        self.init(
            number: try row.crlNumber("number"), caKeyIndex: try row.int("ca_key_index"),
            thisUpdate: try row.date("this_update"), nextUpdate: try row.date("next_update"),
            crlDER: try row.bytes("crl_der"), kind: try row.word("kind"), shard: try row.int("crl_shard"),
            issuedWhen: try row.date("issued_when"), nextPublish: try row.dateIfPresent("next_publish"),
            baseNumber: try row.integerIfPresent("base_number").map { _ in try row.crlNumber("base_number") },
            changeNumber: try row.integer("change_number"),
            entryCount: try row.integerIfPresent("entry_count").map { Int($0) },
            byteCount: try row.int("byte_count"), fileName: try row.textIfPresent("file_name"),
            toBeSignedSHA256: try row.bytesIfPresent("tbs_sha256"),
            publishedWhen: try row.dateIfPresent("published_when"),
            publicationError: try row.textIfPresent("publication_error"))
    }

    func columns(operation: String) throws -> StatementArguments {
        [
            "number": try CRLRecord.stored(self.number, operation), "kind": self.kind.rawValue,
            "ca_key_index": self.caKeyIndex, "crl_shard": self.shard, "issued_when": self.issuedWhen.stored,
            "this_update": self.thisUpdate.stored, "next_update": self.nextUpdate.stored,
            "next_publish": self.nextPublish?.stored,
            "base_number": try self.baseNumber.map { try CRLRecord.stored($0, operation) },
            "change_number": self.changeNumber, "entry_count": self.entryCount, "byte_count": self.byteCount,
            "file_name": self.fileName, "tbs_sha256": self.toBeSignedSHA256?.stored,
            "published_when": self.publishedWhen?.stored,
            "publication_error": self.publicationError, "crl_der": self.crlDER.stored,
        ]
    }

    static func stored(_ number: UInt64, _ operation: String) throws -> Int64 {
        guard let stored = Int64(exactly: number) else { throw StorageError.numberTooLarge(operation: operation) }
        return stored
    }

    static let insertion = """
        INSERT INTO revocation_list (number, kind, ca_key_index, crl_shard, issued_when, this_update, next_update,
            next_publish, base_number, change_number, entry_count, byte_count, file_name, tbs_sha256, published_when,
            publication_error, crl_der)
        VALUES (:number, :kind, :ca_key_index, :crl_shard, :issued_when, :this_update, :next_update,
            :next_publish, :base_number, :change_number, :entry_count, :byte_count, :file_name, :tbs_sha256, :published_when,
            :publication_error, :crl_der)
        """

    /// Without the bytes, which a list of lists does not need.
    static let summaries = """
        SELECT number, kind, ca_key_index, crl_shard, issued_when, this_update, next_update, next_publish, base_number,
            change_number, entry_count, byte_count, file_name, tbs_sha256, published_when, publication_error,
            x'' AS crl_der
        FROM revocation_list ORDER BY number DESC, kind LIMIT ?
        """

    static let latest = """
        SELECT * FROM revocation_list WHERE ca_key_index = ? AND crl_shard = ? AND kind = ?
        ORDER BY number DESC LIMIT 1
        """
}

extension RevocationQuery {
    /// In the order of the primary key. The two halves of what changed have an index each.
    var selection: String {
        let columns = "SELECT serial_number, reason, effective_when, invalidity_when FROM revocation"
        let scope = "WHERE ca_key_index = :key AND crl_shard = :shard"
        let common = "AND effective_when <= :now AND not_after >= :expired ORDER BY serial_number"
        guard self.since != nil else { return "\(columns) \(scope) AND reason <> 8 \(common)" }
        return """
            \(columns) \(scope) AND serial_number IN (
                SELECT serial_number FROM revocation INDEXED BY revocation_change \(scope) AND change_number > :change
                UNION SELECT serial_number FROM revocation INDEXED BY revocation_effective \(scope)
                    AND effective_when > :effective AND effective_when <= :now AND reason <> 8)
            \(common)
            """
    }

    var arguments: StatementArguments {
        var arguments: [String: (any DatabaseValueConvertible)?] = [
            "key": self.scope.caKeyIndex, "shard": self.scope.shard, "now": self.effectiveUntil.stored,
            "expired": self.notExpiredAt?.stored ?? Int64.min,
        ]
        if let since {
            arguments["change"] = since.changeNumber
            arguments["effective"] = since.effective.stored
        }
        return StatementArguments(arguments)
    }
}

extension RowReader {
    func crlNumber(_ column: String) throws -> UInt64 {
        guard let number = UInt64(exactly: try self.integer(column)) else {
            throw StorageError.corrupt(column, self.operation)
        }
        return number
    }
}
