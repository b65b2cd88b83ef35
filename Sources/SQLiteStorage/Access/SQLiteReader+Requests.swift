import CertificateAuthority
import GRDB

extension DatabaseReading {
    func extensions(ofRequest requestID: Int64) throws -> [RequestExtension] {
        try self.all(
            "read the extensions of request \(requestID)",
            "SELECT * FROM request_extension WHERE request_id = ? ORDER BY oid", [requestID],
            RequestExtension.init)
    }
}

extension RequestExtension {
    init(_ row: RowReader) throws {
        self.init(
            oid: try row.text("oid"), isCritical: try row.int("critical") != 0,
            value: try row.bytesIfPresent("value"))
    }

    static let upsertion = """
        INSERT INTO request_extension (request_id, oid, critical, value) VALUES (?, ?, ?, ?)
        ON CONFLICT (request_id, oid) DO UPDATE SET critical = excluded.critical, value = excluded.value
        """
}
