import CertificateAuthority
import GRDB

extension DatabaseReading {
    func groups() throws -> [GroupRecord] {
        try self.all("list groups", "SELECT * FROM role_group ORDER BY name", []) { try self.group($0) }
    }

    func group(named name: String) throws -> GroupRecord? {
        try self.one("read a group", "SELECT * FROM role_group WHERE name = ?", [name]) { try self.group($0) }
    }

    private func group(_ row: RowReader) throws -> GroupRecord {
        let name = try row.text("name")
        let members = try self.all(
            "list the members of a group", "SELECT member FROM role_group_member WHERE group_name = ?", [name]
        ) { try $0.text("member") }
        return GroupRecord(name: name, roles: try row.json("roles"), members: Set(members))
    }

    func groups(of member: String) throws -> [GroupRecord] {
        try self.all(
            "list the groups of a member",
            """
            SELECT role_group.* FROM role_group JOIN role_group_member ON group_name = name
            WHERE member = ? ORDER BY name
            """, [member]
        ) { GroupRecord(name: try $0.text("name"), roles: try $0.json("roles")) }
    }

    func identityMappings() throws -> [IdentityMapping] {
        try self.all(
            "list identities", "SELECT * FROM identity_mapping ORDER BY source, name", [], IdentityMapping.init)
    }

    func identityMapping(_ source: IdentityMapping.Source, named name: String) throws -> IdentityMapping? {
        try self.one(
            "read an identity", "SELECT * FROM identity_mapping WHERE source = ? AND name = ?",
            [source.rawValue, name], IdentityMapping.init)
    }

    func hasSystemMappings() throws -> Bool {
        try self.one(
            "look for identities of the machine",
            "SELECT 1 AS n FROM identity_mapping WHERE source IN ('system-user', 'system-group') LIMIT 1"
        ) { try $0.integer("n") } != nil
    }

    func managerRestrictions(of manager: String?) throws -> [ManagerRestriction] {
        guard let manager else {
            return try self.all(
                "list restrictions", "SELECT * FROM manager_restriction ORDER BY manager, restriction_id", [],
                ManagerRestriction.init)
        }
        return try self.all(
            "list the restrictions of a manager",
            "SELECT * FROM manager_restriction WHERE manager = ? ORDER BY restriction_id", [manager],
            ManagerRestriction.init)
    }

    func principalVersion() throws -> Int64 {
        let operation = "read the version of users and groups"
        return try StorageError.mapping(operation) {
            let statement = try self.db.cachedStatement(sql: "SELECT value FROM principal_version")
            guard let version = try Int64.fetchOne(statement) else { throw StorageError.corrupt("value", operation) }
            return version
        }
    }
}

extension SQLiteWriter {
    func removeUser(named name: String) throws -> Bool {
        try self.execute("remove a user", "DELETE FROM user WHERE name = ?", [name]) == 1
    }

    func upsert(_ group: GroupRecord) throws {
        try self.execute(
            "store a group",
            "INSERT INTO role_group (name, roles) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET roles = excluded.roles",
            [group.name, try storedJSON(group.roles.map(\.rawValue).sorted())])
        try self.execute("store a group", "DELETE FROM role_group_member WHERE group_name = ?", [group.name])
        for member in group.members.sorted() {
            try self.execute(
                "store a member", "INSERT INTO role_group_member (member, group_name) VALUES (?, ?)",
                [member, group.name])
        }
    }

    func removeGroup(named name: String) throws -> Bool {
        try self.execute("remove a group", "DELETE FROM role_group WHERE name = ?", [name]) == 1
    }

    func upsert(_ mapping: IdentityMapping) throws {
        try self.execute("store an identity", IdentityMapping.upsertion, mapping.columns())
    }

    func removeIdentityMapping(_ source: IdentityMapping.Source, named name: String) throws -> Bool {
        try self.execute(
            "remove an identity", "DELETE FROM identity_mapping WHERE source = ? AND name = ?",
            [source.rawValue, name]) == 1
    }

    func insert(_ restriction: ManagerRestriction) throws {
        try self.execute("store a restriction", ManagerRestriction.insertion, restriction.columns)
    }

    func removeManagerRestrictions(of manager: String) throws -> Int {
        try self.execute("remove restrictions", "DELETE FROM manager_restriction WHERE manager = ?", [manager])
    }
}
