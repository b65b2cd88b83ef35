import CertificateAuthority
import GRDB

extension IdentityMapping {
    init(_ row: RowReader) throws {
        self.init(
            source: try row.word("source"), name: try row.text("name"), userName: try row.text("user_name"),
            roles: try row.json("roles"))
    }

    func columns() throws -> StatementArguments {
        [
            "source": self.source.rawValue, "name": self.name, "user_name": self.userName,
            "roles": try storedJSON(self.roles.map(\.rawValue).sorted()),
        ]
    }

    static let upsertion = """
        INSERT INTO identity_mapping (source, name, user_name, roles) VALUES (:source, :name, :user_name, :roles)
        ON CONFLICT (source, name) DO UPDATE SET user_name = excluded.user_name, roles = excluded.roles
        """
}

extension ManagerRestriction {
    init(_ row: RowReader) throws {
        self.init(
            restrictionID: try row.integer("restriction_id"), manager: try row.text("manager"),
            effect: try row.word("effect"), group: try row.text("requester_group"),
            template: try row.text("template"))
    }

    var columns: StatementArguments {
        [
            "manager": self.manager, "effect": self.effect.rawValue, "requester_group": self.group,
            "template": self.template,
        ]
    }

    static let insertion = """
        INSERT INTO manager_restriction (manager, effect, requester_group, template)
        VALUES (:manager, :effect, :requester_group, :template)
        """
}
