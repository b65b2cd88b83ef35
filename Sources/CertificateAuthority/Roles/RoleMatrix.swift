/// The table of operations and roles as data, for `signet role matrix`.
package struct RoleMatrix: Sendable, Codable, Equatable {
    package struct Row: Sendable, Codable, Equatable {
        package var operation: String
        /// Any of them, or all when ``needsAllRoles``.
        package var roles: [String]
        package var needsAllRoles: Bool
        package var instanceOwner: Bool
        package var otherwise: String?
        /// False where the operation is open to one person only under two roles: nobody may while separation is on.
        package var possibleUnderSeparation: Bool
    }

    package var roles: [String]
    package var separatedRoles: [String]
    package var operations: [Row]

    package static let current = RoleMatrix(
        roles: Role.allCases.map(\.rawValue), separatedRoles: Role.separated.map(\.rawValue).sorted(),
        operations: CAOperation.allCases.map { operation in
            let rule = operation.rule
            return Row(
                operation: operation.rawValue,
                roles: Role.allCases.filter(rule.roles.contains).map(\.rawValue),
                needsAllRoles: rule.needsAllRoles, instanceOwner: rule.ownerMay, otherwise: rule.otherwise,
                possibleUnderSeparation: !rule.needsAllRoles
                    || rule.roles.intersection(Role.separated).count < 2)
        })
}
