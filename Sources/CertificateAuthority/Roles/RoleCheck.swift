extension Principal {
    /// What the table says of a principal and an operation.
    package enum Verdict: Sendable, Equatable {
        case allowed
        /// None of the roles that the operation needs.
        case missingRole
        /// Two or more of the separated roles while separation is enforced.
        case roleConflict
    }

    /// Asks the table.
    ///
    /// Under separation, somebody with two of the separated roles has none of them: an operation that they may carry out
    /// for another reason stays open to them, every operation of the separated roles is refused as a conflict.
    package func verdict(on operation: CAOperation) -> Verdict {
        let rule = operation.rule
        if rule.ownerMay, self.isInstanceOwner { return .allowed }
        guard self.hasRoleConflict else { return rule.isSatisfied(by: self.roles) ? .allowed : .missingRole }
        if rule.isSatisfied(by: self.roles.subtracting(Role.separated)) { return .allowed }
        return rule.roles.isDisjoint(with: Role.separated) ? .missingRole : .roleConflict
    }

    /// True when separation is enforced and the principal holds two or more of the separated roles.
    package var hasRoleConflict: Bool {
        self.isRoleSeparationEnforced && self.roles.intersection(Role.separated).count >= 2
    }

    package func isAllowed(_ operation: CAOperation) -> Bool { self.verdict(on: operation) == .allowed }

    /// - Parameter text: what is being done, as it stands after "Could not".
    /// - Throws: ``RequestError``: `roleConflict` (0x80094008) under role separation, `accessDenied` (0x80070005)
    ///   without a role that the operation needs.
    package func mustBeAllowed(_ operation: CAOperation, to text: String) throws {
        switch self.verdict(on: operation) {
        case .allowed: return
        case .missingRole: throw RequestError.accessDenied(self, operation: operation, to: text)
        case .roleConflict: throw RequestError.roleConflict(self, operation: text)
        }
    }

    /// - Throws: ``RequestError``: `enrollmentDenied` (0x80094011), or `roleConflict`.
    package func mustBeAllowedToEnroll() throws {
        guard self.verdict(on: .enroll) != .missingRole else { throw RequestError.enrollmentDenied(self) }
        try self.mustBeAllowed(.enroll, to: "submit a request")
    }

    /// The name without its domain, as it stands in a subject.
    var accountName: String {
        self.name.split(separator: "\\").last.map(String.init) ?? self.name
    }
}
