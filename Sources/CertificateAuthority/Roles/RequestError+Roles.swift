import Diagnostics
package import Foundation

/// Refusals by the table of roles, and by what a certificate manager is restricted to.
extension RequestError {
    package static func accessDenied(_ principal: Principal, operation: CAOperation, to text: String) -> RequestError {
        let rule = operation.rule
        let names = rule.roles.map(\.rawValue).sorted()
        let needed: String =
            if let otherwise = rule.otherwise {
                "\(principal.name) is not \(otherwise)"
            } else if names.isEmpty {
                "\(principal.name) is not the owner of the instance on its own machine"
            } else {
                "\(principal.name) has not the role of "
                    + names.joined(separator: rule.needsAllRoles ? " and " : " or ")
            }
        return RequestError(
            code: .accessDenied, operation: text, reason: needed, hresult: .accessDenied,
            facts: [Fact("user", principal.name), Fact("operation", operation.rawValue)],
            advice: [
                names.isEmpty
                    ? "Work as the account that owns the instance's directory."
                    : "Have an administrator give the role to the user, or ask somebody who has it."
            ])
    }

    /// True for what the table of roles, role separation or a restriction of certificate managers has refused.
    package var isRefusalOfCaller: Bool {
        [.accessDenied, .roleConflict, .restrictedManager, .enrollmentDenied].contains(self.code)
    }

    /// The certificate manager may not deal with this requester, or not with this template.
    static func restrictedManager(_ manager: Principal, requester: String, operation: String) -> RequestError {
        RequestError(
            code: .restrictedManager, operation: operation,
            reason: "\(manager.name) may not manage the certificates of \(requester)", hresult: .restrictedOfficer,
            facts: [Fact("user", manager.name), Fact("requester", requester)],
            advice: ["Ask a certificate manager of the requester's group; `signet role restrictions` lists them."])
    }

    static func roleConflict(_ principal: Principal, operation: String) -> RequestError {
        let held = principal.roles.intersection(Role.separated).map(\.rawValue).sorted().joined(separator: " and ")
        return RequestError(
            code: .roleConflict, operation: operation,
            reason: "\(principal.name) is \(held), and role separation is enforced", hresult: .roleConflict,
            facts: [Fact("user", principal.name), Fact("roles", held)],
            advice: ["Have an administrator take all but one of the roles from the user."])
    }
}

extension AuditEvent {
    /// Event 10010: somebody was refused an operation; `nil` for an error that is no refusal of its caller.
    package init?(refusing error: any Error, to who: Principal, when: Date) {
        guard let refusal = error as? RequestError, refusal.isRefusalOfCaller else { return nil }
        self.init(
            .accessRefused, when: when, who: who.name,
            details: ["Operation": refusal.operation, "Code": "\(refusal.hresult)", "Error": refusal.reason])
    }
}

extension CertificationAuthority {
    /// Audit event 10010, when an operation failed because its caller may not do it. Does nothing for other errors.
    package func recordRefusal(_ error: any Error, of who: Principal) async throws {
        guard let event = AuditEvent(refusing: error, to: who, when: self.surroundings.now()) else { return }
        try await self.storage.write { try $0.append(event) }
    }
}
