package import CertificateAuthority
import Foundation
import PKIMessages
package import SecretMemory

/// Users, groups, identities and role separation of an instance. Each change is one transaction with its audit event.
extension Instance {
    /// Adds a user of the instance, or changes password and roles.
    ///
    /// - Parameter password: `nil` for a user who has none and comes with a TLS client certificate.
    /// - Throws: `RequestError` without the right; ``ServiceError`` for a name that cannot be used.
    package func setUser(
        _ name: String, password: SecretBytes?, roles: Set<Role>, by who: Principal
    ) async throws {
        try who.mustBeAllowed(.changePermissions, to: "change user \(name)")
        try Instance.check(name: name, of: "The user name", forbidding: ":")
        let hash =
            try password.map { try PasswordHash.make(password: $0, salt: self.surroundings.randomBytes(16)) }
            ?? UserRecord.noPassword
        let user = UserRecord(name: name, passwordHash: hash, roles: roles)
        try await self.change(.permissionsChanged, by: who, ["Entry": "user", "Name": name, "Roles": roles.text]) {
            try $0.upsert(user)
        }
    }

    package func setRoles(_ roles: Set<Role>, ofUser name: String, by who: Principal) async throws {
        try who.mustBeAllowed(.changePermissions, to: "change the roles of \(name)")
        try await self.change(.permissionsChanged, by: who, ["Entry": "user", "Name": name, "Roles": roles.text]) {
            guard var user = try $0.user(named: name) else { throw ServiceError.unknownName("user", name) }
            user.roles = roles
            try $0.upsert(user)
        }
    }

    package func removeUser(_ name: String, by who: Principal) async throws {
        try who.mustBeAllowed(.changePermissions, to: "remove user \(name)")
        try await self.change(.permissionsChanged, by: who, ["Entry": "user", "Name": name, "Removed": "true"]) {
            guard try $0.removeUser(named: name) else { throw ServiceError.unknownName("user", name) }
        }
    }

    /// Adds a group, or replaces its roles. Members stay.
    package func setGroup(_ name: String, roles: Set<Role>, by who: Principal) async throws {
        try who.mustBeAllowed(.changePermissions, to: "change group \(name)")
        try Instance.check(name: name, of: "The group name", forbidding: "*")
        try await self.change(.permissionsChanged, by: who, ["Entry": "group", "Name": name, "Roles": roles.text]) {
            var group = try $0.group(named: name) ?? GroupRecord(name: name)
            group.roles = roles
            try $0.upsert(group)
        }
    }

    package func removeGroup(_ name: String, by who: Principal) async throws {
        try who.mustBeAllowed(.changePermissions, to: "remove group \(name)")
        try await self.change(.permissionsChanged, by: who, ["Entry": "group", "Name": name, "Removed": "true"]) {
            guard try $0.removeGroup(named: name) else { throw ServiceError.unknownName("group", name) }
        }
    }

    /// Puts members into a group, and takes others out.
    package func changeMembers(
        ofGroup name: String, adding: Set<String>, removing: Set<String>, by who: Principal
    ) async throws {
        try who.mustBeAllowed(.changePermissions, to: "change the members of group \(name)")
        let details = [
            "Entry": "group members", "Name": name, "Added": adding.sorted().joined(separator: ", "),
            "Removed": removing.sorted().joined(separator: ", "),
        ]
        try await self.change(.permissionsChanged, by: who, details) {
            guard var group = try $0.group(named: name) else { throw ServiceError.unknownName("group", name) }
            let gone = Set(removing.map { $0.lowercased() })
            group.members = group.members.filter { !gone.contains($0.lowercased()) }.union(adding)
            try $0.upsert(group)
        }
    }

    /// Gives roles to an account or group of the machine, or maps a TLS client certificate to a user.
    package func setIdentity(_ mapping: IdentityMapping, by who: Principal) async throws {
        try who.mustBeAllowed(.changePermissions, to: "assign \(mapping.source.rawValue) \(mapping.name)")
        try Instance.check(name: mapping.name, of: "The name", forbidding: "")
        let details = [
            "Entry": mapping.source.rawValue, "Name": mapping.name, "Roles": mapping.roles.text,
            "User": mapping.userName,
        ]
        try await self.change(.permissionsChanged, by: who, details) {
            if mapping.source.isCertificate, try $0.user(named: mapping.userName) == nil {
                throw ServiceError.unknownName("user", mapping.userName)
            }
            try $0.upsert(mapping)
        }
    }

    package func removeIdentity(
        _ source: IdentityMapping.Source, named name: String, by who: Principal
    ) async throws {
        try who.mustBeAllowed(.changePermissions, to: "remove \(source.rawValue) \(name)")
        try await self.change(
            .permissionsChanged, by: who, ["Entry": source.rawValue, "Name": name, "Removed": "true"]
        ) {
            guard try $0.removeIdentityMapping(source, named: name) else {
                throw ServiceError.unknownName(source.rawValue, name)
            }
        }
    }

    /// Turns role separation on or off. Only the owner of the instance may.
    package func setRoleSeparation(_ isOn: Bool, by who: Principal) async throws {
        try who.mustBeAllowed(.setRoleSeparation, to: "turn role separation \(isOn ? "on" : "off")")
        try await self.change(.roleSeparationChanged, by: who, ["Enabled": isOn ? "1" : "0"]) {
            try $0.setSetting(RoleSettings.separation, to: isOn ? RoleSettings.on : RoleSettings.off)
        }
    }

    /// Adds a restriction of a certificate manager.
    package func restrict(_ restriction: ManagerRestriction, by who: Principal) async throws {
        try who.mustBeAllowed(.restrictManagers, to: "restrict \(restriction.manager)")
        try Instance.check(name: restriction.manager, of: "The manager's name", forbidding: "")
        let details = [
            "Enable": "1", "Manager": restriction.manager, "Effect": restriction.effect.rawValue,
            "Group": restriction.group, "Template": restriction.template,
        ]
        try await self.change(.managerSettingsChanged, by: who, details) {
            if restriction.group != ManagerRestriction.any, try $0.group(named: restriction.group) == nil {
                throw ServiceError.unknownName("group", restriction.group)
            }
            try $0.insert(restriction)
        }
    }

    /// Takes all restrictions of a certificate manager away.
    package func removeRestrictions(of manager: String, by who: Principal) async throws {
        try who.mustBeAllowed(.restrictManagers, to: "take the restrictions of \(manager) away")
        try await self.change(.managerSettingsChanged, by: who, ["Enable": "0", "Manager": manager]) {
            guard try $0.removeManagerRestrictions(of: manager) > 0 else {
                throw ServiceError.unknownName("restricted manager", manager)
            }
        }
    }

    func change(
        _ event: AuditEventID, by who: Principal, _ details: [String: String],
        _ body: @escaping @Sendable (any StorageWriting) throws -> Void
    ) async throws {
        let entry = AuditEvent(event, when: self.surroundings.now(), who: who.name, details: details)
        try await self.storage.write { transaction in
            try body(transaction)
            try transaction.append(entry)
        }
    }

    private static func check(name: String, of what: String, forbidding: String) throws {
        guard !name.isEmpty, name.count <= 256, !name.contains(where: forbidding.contains),
            name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else {
            throw ServiceError.invalidName(
                what, "it is empty, too long, or has a character that is not allowed in it")
        }
    }
}

extension Set<Role> {
    fileprivate var text: String { self.map(\.rawValue).sorted().joined(separator: " ") }
}
