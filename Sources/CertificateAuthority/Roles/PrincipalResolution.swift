package import PKIMessages
import X509

/// An account of this machine, as the operating system tells of it.
package struct SystemAccount: Sendable, Equatable {
    package var host: String
    package var name: String
    package var groups: Set<String>
    /// True when the instance's directory is the account's, or the account is the superuser.
    package var ownsInstance: Bool

    package init(host: String, name: String, groups: Set<String>, ownsInstance: Bool) {
        self.host = host
        self.name = name
        self.groups = groups
        self.ownsInstance = ownsInstance
    }

    /// As it stands in requests and in the audit trail.
    package var principalName: String { "\(self.host)\\\(self.name)" }
}

/// Looks accounts of this machine up by the names that they have in requests and in the audit trail.
package struct SystemAccounts: Sendable {
    /// `nil` when the name is none of this machine, or there is no such account any more.
    package var account: @Sendable (_ principalName: String) throws -> SystemAccount?

    package init(_ account: @escaping @Sendable (_ principalName: String) throws -> SystemAccount?) {
        self.account = account
    }

    /// Where nobody comes from the machine.
    package static let none = SystemAccounts { _ in nil }
}

extension StorageReading {
    /// True while nobody may hold two of the four roles.
    package func isRoleSeparationEnforced() throws -> Bool {
        try self.setting(RoleSettings.separation) == RoleSettings.on
    }

    /// A user of the instance, with the roles of their groups.
    package func principal(of user: UserRecord) throws -> Principal {
        let groups = try self.groups(of: user.name)
        return Principal(
            name: user.name, roles: groups.reduce(into: user.roles) { $0.formUnion($1.roles) },
            groups: Set(groups.map(\.name)), isRoleSeparationEnforced: try self.isRoleSeparationEnforced())
    }

    /// An account of this machine. As long as no account and no group of the machine has been given a role, whoever
    /// can open the instance's files is its one operator and holds every role.
    package func principal(of account: SystemAccount) throws -> Principal {
        let own = try self.groups(of: account.principalName)
        var roles = own.reduce(into: Set<Role>()) { $0.formUnion($1.roles) }
        if try self.hasSystemMappings() {
            roles.formUnion(try self.identityMapping(.systemUser, named: account.name)?.roles ?? [])
            for group in account.groups {
                roles.formUnion(try self.identityMapping(.systemGroup, named: group)?.roles ?? [])
            }
        } else {
            roles = Set(Role.allCases)
        }
        return Principal(
            name: account.principalName, roles: roles, groups: account.groups.union(own.map(\.name)),
            isInstanceOwner: account.ownsInstance, isRoleSeparationEnforced: try self.isRoleSeparationEnforced())
    }

    /// Whoever acts under that name now: a user of the instance, an account of the machine, or neither.
    package func principals(named name: String, _ accounts: SystemAccounts) throws -> [Principal] {
        [
            try self.user(named: name).map { try self.principal(of: $0) },
            try accounts.account(name).map { try self.principal(of: $0) },
        ].compactMap { $0 }
    }

    /// The user that a verified TLS client certificate stands for; `nil` when it is not mapped, or this CA has revoked it.
    package func principal(of certificate: CertificateFields) throws -> Principal? {
        let issued = try self.certificate(serialNumber: certificate.serialHex)
        if let issued, issued.certificateDER == certificate.derBytes, issued.revocation != nil { return nil }
        let names = try ExtensionDecoding(certificate.extensions).subjectAlternativeNames().compactMap {
            name -> String? in
            if let principal = name.userPrincipalName { return principal }
            switch name {
            case .dnsName(let text), .rfc822Name(let text): return text
            default: return nil
            }
        }
        return try self.principal(
            certificateSubject: DistinguishedNameText.text(of: certificate.subject), names: names,
            sha256Thumbprint: Hexadecimal.lower(certificate.sha256Thumbprint))
    }

    /// - Parameters:
    ///   - subject: RFC 4514 text.
    ///   - names: DNS names, e-mail addresses and UPNs.
    ///   - sha256Thumbprint: lower-case hexadecimal.
    package func principal(
        certificateSubject subject: String, names: [String], sha256Thumbprint: String
    ) throws -> Principal? {
        let keys: [(IdentityMapping.Source, String)] =
            [(.certificateThumbprint, sha256Thumbprint), (.certificateSubject, subject)]
            + names.map { (.certificateName, $0) }
        for (source, name) in keys where !name.isEmpty {
            guard let mapping = try self.identityMapping(source, named: name),
                let user = try self.user(named: mapping.userName)
            else { continue }
            return try self.principal(of: user)
        }
        return nil
    }
}

/// Names and values of the settings that concern roles.
package enum RoleSettings {
    package static let separation = "role.separation"
    package static let on = "on"
    package static let off = "off"
}
