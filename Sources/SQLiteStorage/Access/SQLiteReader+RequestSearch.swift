import CertificateAuthority
import Foundation
import GRDB

/// Walks one index from where the last page ended, and looks at no more rows than the query allows.
extension DatabaseReading {
    func requestRow(_ requestID: Int64) throws -> RequestRow? {
        guard let request = try self.request(requestID) else { return nil }
        return RequestRow(
            request: request, certificate: try self.certificate(forRequest: requestID),
            archivedKey: try self.archivedKey(forRequest: requestID))
    }

    func requests(matching query: RequestQuery) throws -> RequestPage {
        if let serial = query.serialNumber {
            let found = try self.certificate(serialNumber: serial).flatMap { try self.requestRow($0.requestID) }
            return RequestPage(rows: found.map { [$0] }?.filter(query.matches) ?? [], next: nil)
        }
        let walk = RequestWalk(query)
        let positions = try self.all("search requests", walk.sql, walk.arguments) {
            RequestQuery.Position(key: try $0.integer("position"), requestID: try $0.integer("request_id"))
        }
        var rows: [RequestRow] = []
        for position in positions {
            guard let row = try self.requestRow(position.requestID), query.matches(row) else { continue }
            rows.append(row)
            if rows.count == query.limit { return RequestPage(rows: rows, next: position) }
        }
        return RequestPage(rows: rows, next: positions.count < query.effort ? nil : positions.last)
    }
}

/// The statement that gives the numbers of candidates in the wanted order, by the index that leaves the fewest.
struct RequestWalk {
    let sql: String
    let arguments: StatementArguments

    init(_ query: RequestQuery) {
        let isDown = query.isDescending
        let start = query.after ?? .init(key: isDown ? .max : .min, requestID: isDown ? .max : .min)
        let (comparison, direction) = isDown ? ("<", "DESC") : (">", "ASC")
        switch query.order {
        case .number:
            let (index, condition, value) = RequestWalk.driver(query)
            self.sql = """
                SELECT 0 AS position, request_id FROM request \(index.map { "INDEXED BY \($0)" } ?? "")
                WHERE \(condition) request_id \(comparison) :start AND request_id BETWEEN :low AND :high
                ORDER BY request_id \(direction) LIMIT :effort
                """
            let numbers = query.numbers ?? 0...Int64.max
            let bounds: StatementArguments = [
                "start": start.requestID, "low": numbers.lowerBound, "high": numbers.upperBound,
                "effort": query.effort,
            ]
            self.arguments = value.map { bounds &+ ["value": $0] } ?? bounds
        case .submitted, .expires:
            let isExpiry = query.order == .expires
            let (table, column) = isExpiry ? ("certificate", "not_after") : ("request", "submitted_when")
            let range = isExpiry ? query.expires : query.submitted
            self.sql = """
                SELECT \(column) AS position, request_id FROM \(table)
                INDEXED BY \(isExpiry ? "certificate_expiry" : "request_submitted")
                WHERE \(column) BETWEEN :low AND :high AND (\(column), request_id) \(comparison) (:key, :start)
                ORDER BY \(column) \(direction), request_id \(direction) LIMIT :effort
                """
            self.arguments = [
                "low": range?.lowerBound.stored ?? 0, "high": range?.upperBound.stored ?? .max, "key": start.key,
                "start": start.requestID, "effort": query.effort,
            ]
        }
    }

    /// A name usually leaves fewer rows than a disposition, and a template more than any disposition but `issued`.
    private static func driver(
        _ query: RequestQuery
    ) -> (index: String?, condition: String, value: (any DatabaseValueConvertible)?) {
        if let name = query.subject {
            return ("request_subject", "subject = :value COLLATE NOCASE AND", name)
        }
        if let name = query.requesterName {
            return ("request_requester", "requester_name = :value COLLATE NOCASE AND", name)
        }
        if let disposition = query.disposition, disposition != .issued || query.templateName == nil {
            return ("request_disposition", "disposition = :value AND", disposition.rawValue)
        }
        if let name = query.templateName {
            return ("request_template", "template_name = :value COLLATE NOCASE AND", name)
        }
        return (nil, "", nil)
    }
}
