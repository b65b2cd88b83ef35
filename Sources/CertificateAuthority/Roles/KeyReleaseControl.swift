import Diagnostics
package import Foundation

/// How many certificate managers have to approve before an archived key is handed to another one.
package struct KeyReleasePolicy: Sendable {
    /// 0: whoever may retrieve archived keys takes them without being asked.
    package var approvals: Int
    /// For how long an approval counts, in seconds.
    package var validity: TimeInterval
    /// Tells which roles an approver who is an account of the machine has by now.
    package var accounts: SystemAccounts

    package init(approvals: Int = 0, validity: TimeInterval = 86_400, accounts: SystemAccounts = .none) {
        self.approvals = approvals
        self.validity = validity
        self.accounts = accounts
    }
}

/// Who has approved a release.
package struct ReleaseApprovers: Sendable, Equatable {
    /// Names of those whose approval counts.
    package var counting: [String]
    /// Names of those who might not approve it any more: their approvals ended with that.
    package var lapsed: [String]

    package init(counting: [String] = [], lapsed: [String] = []) {
        self.counting = counting
        self.lapsed = lapsed
    }
}

extension StorageReading {
    /// Who has approved the release of a key to `taker`.
    ///
    /// Neither the taker counts, nor the one whose key it is, nor anybody twice, nor an approval that is too old, nor that
    /// of somebody who might not give it now: without the role, in conflict under role separation, or restricted to other
    /// requesters.
    package func approvers(
        ofRequest requestID: Int64, requester: String, taker: String, _ policy: KeyReleasePolicy, at date: Date
    ) throws -> ReleaseApprovers {
        let interested = [requester.lowercased(), taker.lowercased()]
        let template = try self.request(requestID)?.templateName
        var approvers = ReleaseApprovers()
        for approval in try self.releaseApprovals(ofRequest: requestID)
        where !interested.contains(approval.manager.lowercased()) && approval.approvedWhen <= date
            && date < approval.approvedWhen.addingTimeInterval(policy.validity)
        {
            let mayApprove = try self.principals(named: approval.manager, policy.accounts).contains {
                try $0.isAllowed(.approveKeyRelease)
                    && self.mayManage($0, requester: requester, template: template)
            }
            if mayApprove {
                approvers.counting.append(approval.manager)
            } else {
                approvers.lapsed.append(approval.manager)
            }
        }
        return approvers
    }

    /// - Throws: ``RequestError`` with code `releaseNotApproved` (0x80094009).
    package func mustBeReleased(
        _ requestID: Int64, requester: String, to taker: Principal, _ policy: KeyReleasePolicy, at date: Date
    ) throws {
        guard policy.approvals > 0 else { return }
        let approvers = try self.approvers(
            ofRequest: requestID, requester: requester, taker: taker.name, policy, at: date)
        guard approvers.counting.count >= policy.approvals else {
            throw RequestError.releaseNotApproved(requestID, needed: policy.approvals, by: approvers)
        }
    }
}

extension StorageWriting {
    /// Records that a manager consents to the release of an archived key, as event 10013.
    ///
    /// - Parameter requester: whose key it is: nobody approves the release of the own one.
    /// - Throws: ``RequestError``: `accessDenied`, `roleConflict`, `restrictedManager` (0x80094009; also for the own key),
    ///   `releaseNotControlled` where approvals count for nothing.
    package func approveRelease(
        ofRequest requestID: Int64, requester: String, template: String?, by manager: Principal,
        _ policy: KeyReleasePolicy, at date: Date
    ) throws {
        let operation = "approve the release of the key of request \(requestID)"
        try manager.mustBeAllowed(.approveKeyRelease, to: operation)
        guard policy.approvals > 0 else { throw RequestError.releaseNotControlled(requestID) }
        guard manager.name.lowercased() != requester.lowercased() else {
            throw RequestError.restrictedManager(manager, requester: requester, operation: operation)
        }
        try self.mustManage(manager, requester: requester, template: template, to: operation)
        try self.upsert(KeyReleaseApproval(requestID: requestID, manager: manager.name, approvedWhen: date))
        try self.append(
            AuditEvent(
                .keyReleaseApproved, when: date, who: manager.name,
                details: ["Request ID": "\(requestID)", "Requester": requester]))
    }

    /// Records that a key was taken (event 787), after a last look at the approvals, and uses them up: the next release
    /// needs new ones.
    package func recordRetrieval(
        ofKey requestID: Int64, requester: String, by taker: Principal, _ policy: KeyReleasePolicy, at date: Date,
        details: [String: String] = [:]
    ) throws {
        try self.mustBeReleased(requestID, requester: requester, to: taker, policy, at: date)
        var details = details
        details["Request ID"] = "\(requestID)"
        if policy.approvals > 0 {
            details["Approved By"] = try self.approvers(
                ofRequest: requestID, requester: requester, taker: taker.name, policy, at: date
            ).counting.sorted().joined(separator: ", ")
            try self.removeReleaseApprovals(ofRequest: requestID)
        }
        try self.append(AuditEvent(.archivedKeyRetrieved, when: date, who: taker.name, details: details))
    }
}

extension RequestError {
    /// Too few certificate managers have approved that an archived key is handed out.
    static func releaseNotApproved(
        _ requestID: Int64, needed: Int, by approvers: ReleaseApprovers
    ) -> RequestError {
        RequestError(
            code: .releaseNotApproved, operation: "retrieve the archived key of request \(requestID)",
            reason: "\(needed) other certificate manager\(needed == 1 ? "" : "s") must approve it, and "
                + "\(approvers.counting.count) did",
            hresult: .restrictedOfficer,
            facts: [Fact("request", "\(requestID)"), Fact("needed", "\(needed)")]
                + approvers.counting.map { Fact("approved by", $0) }
                + approvers.lapsed.map { Fact("approval that ended with the right to give it", $0) },
            advice: ["Have other certificate managers run `signet key approve`; whoever takes the key does not count."])
    }

    static func releaseNotControlled(_ requestID: Int64) -> RequestError {
        RequestError(
            code: .releaseNotControlled, operation: "approve the release of the key of request \(requestID)",
            reason: "no approval is asked for here", hresult: .invalidParameter,
            facts: [Fact("request", "\(requestID)")],
            advice: ["Set archival.release.approvals first, or take the key with `signet key get`."])
    }
}
