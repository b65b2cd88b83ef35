/// A group of the instance's own list. Its members have its roles.
package struct GroupRecord: Sendable, Equatable {
    package var name: String
    package var roles: Set<Role>
    /// Names of principals, as they stand in requests: `DOMAIN\user`, a bare name, or `HOST\account`.
    package var members: Set<String>

    package init(name: String, roles: Set<Role> = [], members: Set<String> = []) {
        self.name = name
        self.roles = roles
        self.members = members
    }
}

/// What somebody who is known by other means than a password is in this instance.
package struct IdentityMapping: Sendable, Equatable {
    package enum Source: String, Sendable, Codable, CaseIterable {
        /// An account of this machine, by its name: gives ``IdentityMapping/roles``.
        case systemUser = "system-user"
        /// A group of this machine, by its name: gives ``IdentityMapping/roles``.
        case systemGroup = "system-group"
        /// Subject of a TLS client certificate, RFC 4514 text: stands for ``IdentityMapping/userName``.
        case certificateSubject = "certificate-subject"
        /// A DNS name, e-mail address or UPN of a TLS client certificate: stands for ``IdentityMapping/userName``.
        case certificateName = "certificate-name"
        /// SHA-256 of a TLS client certificate, lower-case hexadecimal: stands for ``IdentityMapping/userName``.
        case certificateThumbprint = "certificate-thumbprint"

        package var isCertificate: Bool { self != .systemUser && self != .systemGroup }
    }

    package var source: Source
    package var name: String
    /// The instance's user that a certificate stands for; empty for accounts and groups of the machine.
    package var userName: String
    package var roles: Set<Role>

    package init(source: Source, name: String, userName: String = "", roles: Set<Role> = []) {
        self.source = source
        self.name = name
        self.userName = userName
        self.roles = roles
    }
}

/// One line of what a certificate manager may manage (Windows: one entry of OfficerRights; protocols.md 7).
package struct ManagerRestriction: Sendable, Equatable {
    package enum Effect: String, Sendable, Codable, CaseIterable {
        case allow
        case deny
    }

    /// Stands for every group, or every template.
    package static let any = "*"

    /// 0 until storage has given the number.
    package var restrictionID: Int64
    /// Name of the certificate manager.
    package var manager: String
    package var effect: Effect
    /// A group of the instance that the requester is a member of, or ``any``.
    package var group: String
    /// The template of the request, or ``any``.
    package var template: String

    package init(
        restrictionID: Int64 = 0, manager: String, effect: Effect, group: String = ManagerRestriction.any,
        template: String = ManagerRestriction.any
    ) {
        self.restrictionID = restrictionID
        self.manager = manager
        self.effect = effect
        self.group = group
        self.template = template
    }

    func covers(groups: Set<String>, template: String?) -> Bool {
        let coversGroup =
            self.group == ManagerRestriction.any || groups.contains { $0.lowercased() == self.group.lowercased() }
        let coversTemplate =
            self.template == ManagerRestriction.any || self.template.lowercased() == template?.lowercased()
        return coversGroup && coversTemplate
    }
}

extension UserRecord {
    /// Stands where a password hash would for a user who has none: it is the hash of no password.
    package static let noPassword = "!"

    package var hasPassword: Bool { self.passwordHash != UserRecord.noPassword }
}
