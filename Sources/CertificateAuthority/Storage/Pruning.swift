package import Foundation

/// Which rows go. What is still worth something never does: a certificate that is valid, one that a revocation list yet to
/// be published must name (RFC 5280, section 3.3: an entry stays until one list after the expiry has had it), one of the CA
/// itself, and an archived key unless it is asked for.
package struct PruningRule: Sendable, Equatable {
    package enum Subject: String, Sendable, CaseIterable {
        /// Requests that were denied or failed.
        case failed
        /// Requests that wait for a certificate manager.
        case pending
        /// Certificates, with their requests, that have expired.
        case expired
    }

    package var subject: Subject
    /// Failed and pending ones were submitted before it, certificates expired before it.
    package var before: Date
    /// Takes rows with an archived key, and the key with them.
    package var takesArchivedKeys = false
    /// Only counts.
    package var isRehearsal = false

    package init(_ subject: Subject, before: Date) {
        self.subject = subject
        self.before = before
    }

    /// As the audit trail has it.
    package var filter: String {
        let column = self.subject == .expired ? "NotAfter" : "SubmittedWhen"
        return "\(self.subject.rawValue), \(column) < \(self.before.formatted(.iso8601))"
            + (self.takesArchivedKeys ? ", with archived keys" : "")
    }
}

/// What one step of pruning did.
package struct PruningStep: Sendable, Equatable {
    /// Numbers of the requests that are gone, or would be.
    package var requests: [Int64]
    /// Where the next step begins; `nil` after the last.
    package var next: RequestQuery.Position?

    package init(requests: [Int64], next: RequestQuery.Position?) {
        self.requests = requests
        self.next = next
    }
}

/// Part of ``StorageWriting``. Throws `StorageError`.
package protocol RequestStorageWriting {
    /// Looks at `effort` rows after a position and deletes those that the rule takes.
    func prune(
        _ rule: PruningRule, after position: RequestQuery.Position?, effort: Int, now: Date
    ) throws -> PruningStep
}

extension CertificationAuthority {
    /// Deletes rows by a rule, in batches between which others write; each batch is one transaction with its audit event.
    ///
    /// - Parameter progress: told how many rows are gone after each batch.
    /// Archived keys that are deleted are on the disk no more, not in free pages nor in the database's log.
    ///
    /// - Returns: how many rows were deleted, or would be.
    /// - Throws: ``RequestError`` with code `accessDenied` without the roles of both administrator and certificate manager;
    ///   ``StorageError``.
    package func prune(
        _ rule: PruningRule, by who: Principal, progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> Int {
        try who.mustBeAllowed(.deleteRows, to: "delete rows of the database")
        var position: RequestQuery.Position?
        var deleted = 0
        repeat {
            let start = position
            let step = try await self.storage.write { [self] db in
                let now = self.surroundings.now()
                let step = try db.prune(rule, after: start, effort: 500, now: now)
                if !step.requests.isEmpty, !rule.isRehearsal {
                    try db.append(
                        self.event(
                            .rowsDeleted, who: who.name,
                            [
                                "Table ID": "0", "Filter": rule.filter, "Rows Deleted": "\(step.requests.count)",
                                "Request IDs": NumberRanges(step.requests).description,
                            ]))
                }
                return step
            }
            deleted += step.requests.count
            position = step.next
            progress(deleted)
        } while position != nil
        if rule.takesArchivedKeys, !rule.isRehearsal { try await self.storage.forgetDeleted() }
        return deleted
    }
}
