package import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages

/// Looking at the queue.
extension Instance {
    /// Hands over the rows of a search, page after page, until the query's limit or the end.
    ///
    /// - Returns: where to go on, when the limit ended it.
    /// - Throws: `RequestError` with code `accessDenied`, `StorageError`, and what `body` throws.
    package func requests(
        matching query: RequestQuery, by who: Principal, _ body: (RequestRow) throws -> Void
    ) async throws -> RequestQuery.Position? {
        try who.mustBeAllowed(.readRequests, to: "list requests")
        var query = query
        while query.limit > 0 {
            let asked = query
            let page = try await self.storage.read { try $0.requests(matching: asked) }
            for row in page.rows { try body(row) }
            query.limit -= page.rows.count
            guard let next = page.next else { return nil }
            query.after = next
        }
        return query.after
    }

    /// - Throws: `RequestError`: `unknownRequest` (0x80094004), `accessDenied`.
    package func requestRow(_ requestID: Int64, by who: Principal) async throws -> RequestRow {
        let operation = "show request \(requestID)"
        try who.mustBeAllowed(.readRequests, to: operation)
        let row = try await self.storage.read { try $0.requestRow(requestID) }
        guard let row else { throw RequestError.unknownRequest(requestID, operation: operation) }
        return row
    }

    /// A binary column of a request. An archived key needs the role that retrieves it, and is recorded as retrieved (event
    /// 787); only a key recovery agent can open it.
    ///
    /// - Throws: ``ServiceError`` with code `notBinary`; `RequestError`: `unknownRequest`, `accessDenied`, `propertyEmpty`.
    package func binary(
        _ column: RequestColumn, ofRequest requestID: Int64, by who: Principal
    ) async throws -> [UInt8] {
        let row = try await self.requestRow(requestID, by: who)
        switch column.value(row) {
        case .binary(let bytes):
            if column.name == "RawArchivedKey" { try await self.recordRetrieval(row.request, by: who) }
            return bytes
        case .none: throw ServiceError.emptyColumn(column.name, requestID)
        case .number, .date, .text: throw ServiceError.notBinary(column.name)
        }
    }

    private func recordRetrieval(_ request: RequestRecord, by who: Principal) async throws {
        let operation = "export the archived key of request \(request.requestID)"
        try who.mustBeAllowed(.retrieveArchivedKey, to: operation)
        let release = KeyReleasePolicy(self)
        let now = self.surroundings.now()
        try await self.storage.write { db in
            try db.mustManage(who, request, to: operation)
            try db.recordRetrieval(
                ofKey: request.requestID, requester: request.requesterName, by: who, release, at: now)
        }
    }
}

extension ServiceError {
    static func notBinary(_ column: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "notBinary"), headline: "The column \(column) is text, not binary.",
            hresult: .invalidParameter, advice: ["Name one of the columns that begin with Raw."])
    }

    static func emptyColumn(_ column: String, _ requestID: Int64) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "emptyColumn"), headline: "Request \(requestID) has nothing in the column \(column).",
            hresult: .propertyEmpty, advice: [Advice("Look at the request with: signet request show \(requestID).")])
    }
}
