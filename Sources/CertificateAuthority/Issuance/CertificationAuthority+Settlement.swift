import Diagnostics
import Foundation

/// Work that a crash left behind, and that start-up has settled.
package struct SettledWork: Sendable, Equatable {
    /// The intent found open; `nil` for a request that had none yet.
    package var intent: SigningIntent?
    /// The request found active; `nil` for a CRL, or when the request had its outcome.
    package var requestID: Int64?

    package init(intent: SigningIntent?, requestID: Int64?) {
        self.intent = intent
        self.requestID = requestID
    }
}

extension CertificationAuthority {
    /// Settles what a crash left between an intent and its outcome: the work of processes that have ended. That of others
    /// which still run, a command beside the service, is theirs to finish. May be called at any time.
    ///
    /// An open intent is closed as interrupted: whatever the token signed for it was never shown to anybody, and its
    /// number is never used again. A new request without an outcome becomes an error that its requester can read; one that a
    /// manager had taken up again becomes what it was before.
    ///
    /// - Returns: what was settled, for the log; each is audit event 10002, too.
    package func settleInterruptedWork() async throws -> [SettledWork] {
        let now = self.surroundings.now()
        let intents = try await self.storage.write { [self] db in
            let intents = try db.abandonedIntents()
            for intent in intents {
                try db.closeIntent(intent.intentID, outcome: .interrupted, at: now)
                try db.append(
                    self.event(
                        .intentSettled, who: Principal.service.name,
                        [
                            "Kind": intent.kind.rawValue, "Number": intent.number,
                            "Request ID": intent.requestID.map { "\($0)" } ?? "",
                        ]))
            }
            return intents
        }
        let requests = try await self.settleActiveRequests(at: now)
        let byRequest = Dictionary(
            intents.compactMap { intent in intent.requestID.map { ($0, intent) } }, uniquingKeysWith: { $1 })
        let settledRequests = requests.map { SettledWork(intent: byRequest[$0], requestID: $0) }
        let alone = intents.filter { intent in intent.requestID.map { !requests.contains($0) } ?? true }
        return settledRequests + alone.map { SettledWork(intent: $0, requestID: nil) }
    }

    /// In batches, so that no transaction grows without bound.
    private func settleActiveRequests(at now: Date) async throws -> [Int64] {
        var settled: [Int64] = []
        while true {
            let batch = try await self.storage.write { [self] db in
                let rows = try db.abandonedRequests(limit: 500)
                for row in rows {
                    let failed = row.interrupted(at: now)
                    try db.update(failed)
                    try db.append(self.event(.intentSettled, who: Principal.service.name, failed.auditDetails()))
                }
                return rows.map(\.requestID)
            }
            guard !batch.isEmpty else { return settled }
            settled += batch
        }
    }
}

extension RequestRecord {
    /// What a request becomes whose process has ended before it had an outcome.
    fileprivate func interrupted(at date: Date) -> RequestRecord {
        let code = RequestError.interrupted(self.requestID).hresult
        switch self.resumesAs {
        case .pending?: return self.with(.pending, code, "Taken Under Submission")
        case .denied?: return self.with(.denied, code, self.dispositionMessage)
        default:
            return self.with(.error, code, "Interrupted before an outcome; submit the request again")
                .resolved(at: date)
        }
    }
}
