/// What a template lets a principal or a group do with it.
package enum TemplateRight: String, Sendable, Codable, CaseIterable {
    case read
    case enroll
    case autoenroll
    case write
    /// All of the others.
    case fullControl = "full-control"
}

/// One entry of a template's access list.
package struct TemplatePermission: Sendable, Codable, Equatable {
    /// Everybody who has an account and may enrol at the CA.
    package static let anybodyAuthenticated = "authenticated"

    /// A user's name, a group's, a role's, or ``anybodyAuthenticated``. Names are compared without regard to case.
    package var principal: String
    package var allow: [TemplateRight]
    /// Stronger than any permission, from whichever entry.
    package var deny: [TemplateRight]

    package init(_ principal: String, allow: [TemplateRight] = [.read, .enroll], deny: [TemplateRight] = []) {
        self.principal = principal
        self.allow = allow
        self.deny = deny
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case principal, allow, deny
    }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.allCases)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.principal = try container.decode(String.self, forKey: .principal)
        self.allow = try container.decodeIfPresent([TemplateRight].self, forKey: .allow) ?? []
        self.deny = try container.decodeIfPresent([TemplateRight].self, forKey: .deny) ?? []
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.principal, forKey: .principal)
        if !self.allow.isEmpty { try container.encode(self.allow, forKey: .allow) }
        if !self.deny.isEmpty { try container.encode(self.deny, forKey: .deny) }
    }

    /// Enrolment for each of the names.
    package static func enrolment(_ principals: [String]) -> [TemplatePermission] {
        principals.map { TemplatePermission($0) }
    }

    fileprivate func applies(to principal: Principal) -> Bool {
        if self.principal == TemplatePermission.anybodyAuthenticated { return true }
        if let role = Role(rawValue: self.principal), principal.roles.contains(role) { return true }
        let name = self.principal.lowercased()
        return principal.name.lowercased() == name || principal.groups.contains { $0.lowercased() == name }
    }
}

extension [TemplateRight] {
    fileprivate func covers(_ right: TemplateRight) -> Bool {
        self.contains(right) || self.contains(.fullControl)
    }
}

extension CertificateTemplate {
    /// True when some entry allows the right to that principal and none denies it.
    package func allows(_ right: TemplateRight, to principal: Principal) -> Bool {
        let entries = self.permissions.filter { $0.applies(to: principal) }
        return entries.contains { $0.allow.covers(right) } && !entries.contains { $0.deny.covers(right) }
    }
}
