import CertificateAuthority
import Foundation
import GRDB
import Synchronization
import Testing

@testable import SQLiteStorage

/// Collects the statements that a connection prepares.
private final class StatementLog: Sendable {
    private let statements = Mutex<Set<String>>([])

    func add(_ sql: String) { self.statements.withLock { _ = $0.insert(sql) } }
    func clear() { self.statements.withLock { $0.removeAll() } }
    var all: [String] { self.statements.withLock { $0.sorted() } }
}

@Suite("A database that grows")
struct GrowthTests {
    /// The tables that grow with every request.
    private static let large = [
        "request", "certificate", "intent", "audit", "archived_key", "lint_finding", "revocation",
        "revocation_list", "replacement_case",
    ]

    private func traced() throws -> (SQLiteStorage, DatabaseQueue, StatementLog) {
        let log = StatementLog()
        var configuration = SQLiteStorage.configuration(1)
        configuration.publicStatementArguments = false
        configuration.prepareDatabase { db in
            db.trace(options: .statement) { event in
                if case .statement(let statement) = event { log.add(statement.sql) }
            }
        }
        let queue = try DatabaseQueue(configuration: configuration)
        let storage = try SQLiteStorage(database: queue, name: "traced")
        // A migration may read everything, once.
        log.clear()
        return (storage, queue, log)
    }

    /// Everything that requests, start, settlement, the queue, CRLs and pruning do.
    private func exercise(_ storage: SQLiteStorage) async throws {
        let now = Date(timeIntervalSince1970: 1_767_225_600)
        let issued = try await storage.write { db in
            var first = request()
            first.requestID = try db.insert(first)
            let intentID = try db.insert(intent("4A", requestID: first.requestID))
            first.disposition = .issued
            try db.insert(certificate(first.requestID, serial: "4A"))
            try db.update(first)
            try db.closeIntent(intentID, outcome: .completed, at: now)
            try db.append(AuditEvent(.certificateIssued, when: now, who: "x", details: [:]))
            _ = try db.insert(request("EXAMPLE\\bob", disposition: .error))
            try db.setRevocation(
                .init(reason: 1, revokedWhen: now, effectiveWhen: now), serialNumber: "4A")
            _ = try db.abandonedIntents()
            _ = try db.abandonedRequests(limit: 10)
            return first.requestID
        }
        try await storage.read { db in
            _ = try db.requests(with: nil, limit: 10)
            _ = try db.requests(with: .active, limit: 10)
            _ = try db.certificate(forRequest: issued)
            _ = try db.certificates(matching: "alice", archivedOnly: true)
            _ = try db.certificates(matching: "alice", archivedOnly: false)
            for since in [nil, RevocationQuery.Since(changeNumber: 1, effective: now)] {
                let scope = CRLScope(caKeyIndex: 0)
                try db.forEachRevocation(RevocationQuery(scope: scope, effectiveUntil: now, since: since)) { _ in }
            }
            _ = try db.crls(limit: 10)
            _ = try db.expiringCertificates(after: now, until: now, limit: 10)
            _ = try db.replacementCases(limit: 10)
            _ = try db.openIntents()
            _ = try db.latestCRL(caKeyIndex: 0)
            _ = try db.highestCRLNumber()
            _ = try db.auditHead()
            _ = try db.auditEntries(after: 0, limit: 10)
            _ = try db.exchangeCertificates()
            _ = try db.extensions(ofRequest: issued)
            for query in GrowthTests.queries(now) { _ = try db.requests(matching: query) }
        }
        for subject in PruningRule.Subject.allCases {
            _ = try await storage.write {
                try $0.prune(.init(subject, before: now), after: nil, effort: 10, now: now)
            }
        }
    }

    private static func queries(_ now: Date) -> [RequestQuery] {
        let changes: [(inout RequestQuery) -> Void] = [
            { _ in }, { $0.disposition = .pending }, { $0.disposition = .issued }, { $0.requesterName = "a" },
            { $0.templateName = "WebServer" }, { $0.subject = "CN=a" }, { $0.subjectPart = "a" },
            { $0.serialNumber = "4A" }, { $0.numbers = 1...2 }, { $0.order = .submitted },
            {
                $0.order = .expires; $0.expires = now...now.addingTimeInterval(1)
            },
            {
                $0.disposition = .issued; $0.templateName = "WebServer"
            },
        ]
        return changes.flatMap { change in
            [true, false].map { isDescending in
                var query = RequestQuery()
                query.isDescending = isDescending
                change(&query)
                return query
            }
        }
    }

    @Test("No statement on the path of a request, at start or in a search reads a large table from end to end")
    func noScans() async throws {
        let (storage, queue, log) = try self.traced()
        try await self.exercise(storage)
        let statements = log.all.filter { sql in
            ["SELECT", "UPDATE", "DELETE", "INSERT"].contains { sql.hasPrefix($0) } && !sql.contains("sqlite_")
                && !sql.contains("grdb_migrations")
        }
        #expect(statements.count > 30, "the trace has seen the work")
        for sql in statements {
            let plan = try await queue.read { db in
                let explanation = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
                // The plan does not depend on the values, which stay NULL.
                explanation.setUncheckedArguments([])
                return try Row.fetchAll(explanation).map { row -> String in row["detail"] }
            }
            for step in plan {
                #expect(!GrowthTests.isScan(step, sql), "\(step) in: \(sql)")
            }
        }
    }

    /// A walk along an index that its LIMIT ends is none.
    private static func isScan(_ step: String, _ sql: String) -> Bool {
        guard step.hasPrefix("SCAN"), let table = step.split(separator: " ").dropFirst().first else { return false }
        guard GrowthTests.large.contains(String(table)) else { return false }
        let isPartial = step.contains("intent_open") || step.contains("certificate_revoked")
        return !isPartial && !sql.contains("LIMIT")
    }

    @Test("The test above would see a scan")
    func seesScans() async throws {
        let (_, queue, _) = try self.traced()
        let plan = try await queue.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT * FROM request WHERE attributes = 'x'")
                .map { row -> String in row["detail"] }
        }
        #expect(plan.contains { GrowthTests.isScan($0, "") })
    }
}
