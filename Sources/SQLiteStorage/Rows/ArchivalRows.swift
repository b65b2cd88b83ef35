import CertificateAuthority
import GRDB

extension KRARecord {
    init(_ row: RowReader) throws {
        self.init(
            sha1Thumbprint: try row.bytes("sha1_thumbprint"), certificateDER: try row.bytes("certificate_der"),
            addedWhen: try row.date("added_when"))
    }

    var columns: StatementArguments {
        [
            "sha1_thumbprint": self.sha1Thumbprint.stored, "certificate_der": self.certificateDER.stored,
            "added_when": self.addedWhen.stored,
        ]
    }

    static let insertion = """
        INSERT INTO key_recovery_agent (sha1_thumbprint, certificate_der, added_when)
        VALUES (:sha1_thumbprint, :certificate_der, :added_when)
        """
}

extension ArchivedKeyRecord {
    init(_ row: RowReader) throws {
        let hashes = try row.text("kra_hashes")
        self.init(
            requestID: try row.integer("request_id"), format: try row.word("format"),
            envelopedDataDER: try row.bytes("enveloped_data_der"),
            kraHashes: hashes.split(separator: "\n").map(String.init),
            evidenceJSON: try row.text("evidence"), archivedWhen: try row.date("archived_when"))
    }

    /// The hashes are one text, a line each, as `Request_Key_Recovery_Hashes` holds them (MS-CSRA 3.1.1.1).
    var columns: StatementArguments {
        [
            "request_id": self.requestID, "format": self.format.rawValue,
            "enveloped_data_der": self.envelopedDataDER.stored, "kra_hashes": self.kraHashes.joined(separator: "\n"),
            "evidence": self.evidenceJSON, "archived_when": self.archivedWhen.stored,
        ]
    }

    static let insertion = """
        INSERT INTO archived_key (request_id, format, enveloped_data_der, kra_hashes, evidence, archived_when)
        VALUES (:request_id, :format, :enveloped_data_der, :kra_hashes, :evidence, :archived_when)
        """
}

extension ArchivedKeyRecord {
    static let replacement = """
        UPDATE archived_key SET format = :format, enveloped_data_der = :enveloped_data_der, kra_hashes = :kra_hashes,
            evidence = :evidence, archived_when = :archived_when WHERE request_id = :request_id
        """
}

extension RecoveryDrillRecord {
    init(_ row: RowReader) throws {
        self.init(
            endedWhen: try row.date("ended_when"), who: try row.text("who"), isGood: try row.int("is_good") != 0,
            reportJSON: try row.text("report"))
    }

    var columns: StatementArguments {
        [
            "ended_when": self.endedWhen.stored, "who": self.who, "is_good": self.isGood ? 1 : 0,
            "report": self.reportJSON,
        ]
    }

    static let insertion = """
        INSERT INTO recovery_drill (ended_when, who, is_good, report) VALUES (:ended_when, :who, :is_good, :report)
        """
}

extension UserRecord {
    init(_ row: RowReader) throws {
        self.init(
            name: try row.text("name"), passwordHash: try row.text("password_hash"), roles: try row.json("roles"))
    }

    func columns() throws -> StatementArguments {
        [
            "name": self.name, "password_hash": self.passwordHash,
            "roles": try storedJSON(self.roles.map(\.rawValue).sorted()),
        ]
    }

    static let upsertion = """
        INSERT INTO user (name, password_hash, roles) VALUES (:name, :password_hash, :roles)
        ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, roles = excluded.roles
        """
}

extension AuditEntry {
    init(_ row: RowReader) throws {
        self.init(
            sequence: try row.integer("sequence"),
            event: AuditEvent(
                try row.code("event"), when: try row.date("happened_when"), who: try row.text("who"),
                details: try row.json("details")),
            previousHash: try row.bytes("previous_hash"), hash: try row.bytes("hash"))
    }

    /// In the order of ``insertion``.
    var values: [StoredValue] {
        [
            .integer(self.sequence), .integer(self.event.id.rawValue), .integer(self.event.when.stored),
            .text(self.event.who), .text(storedJSON(self.event.details)), .blob(self.previousHash), .blob(self.hash),
        ]
    }

    static let insertion = """
        INSERT INTO audit (sequence, event, happened_when, who, details, previous_hash, hash)
        VALUES (:sequence, :event, :happened_when, :who, :details, :previous_hash, :hash)
        """
}
