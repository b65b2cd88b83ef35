import Foundation
import TestSupport
import Testing

@Suite("Roles on the command line")
struct RoleTests {
    /// A root CA, and `signet` with its instance.
    private struct Fixture {
        let site: Site
        var root: String { self.site.path("root") }

        init() async throws {
            self.site = try Site.empty()
            try await self.site.makeRoot()
        }

        @discardableResult
        func may(_ arguments: String...) async throws -> String {
            try await succeed([Programs.signet] + arguments + ["--instance", self.root]).text
        }

        func refusal(_ arguments: String...) async throws -> String {
            let result = try await run([Programs.signet] + arguments + ["--instance", self.root])
            #expect(result.status == 1)
            return result.stderr
        }
    }

    @Test("An account of the machine has the roles it was given; two of them are a conflict under role separation")
    func systemAccounts() async throws {
        let fixture = try await Fixture()
        let account = try await succeed(["id", "-un"]).text.trimmingCharacters(in: .whitespacesAndNewlines)
        try await fixture.may("role", "assign", "--system-user", account, "--role", "administrator")
        #expect(try await fixture.may("role", "list").contains("\\\(account): administrator; owner of the instance"))
        try await fixture.may("crl", "publish")
        #expect(try await fixture.refusal("request", "approve", "1").contains("0x80070005"))
        #expect(
            try await fixture.may("audit", "show", "--limit", "1000")
                .contains(/\s10010\s.*Code=0x80070005.*Operation=approve request 1/))

        try await fixture.may(
            "role", "assign", "--system-user", account, "--role", "administrator", "--role", "certificate-manager")
        #expect(try await fixture.refusal("request", "approve", "99").contains("0x80094004"))
        try await fixture.may("role", "separation", "on")
        for command in [["crl", "publish"], ["request", "approve", "99"]] {
            let result = try await run([Programs.signet] + command + ["--instance", fixture.root])
            #expect(result.status == 1)
            #expect(result.stderr.contains("0x80094008 CERTSRV_E_ROLECONFLICT"))
        }
        try await fixture.may("role", "separation", "off")
        try await fixture.may("role", "withdraw", "--system-user", account)
        try await fixture.may("crl", "publish")
        let trail = try await fixture.may("audit", "show", "--limit", "1000")
        #expect(trail.contains(/\s801\s.*Enabled=1/) && trail.contains(/\s801\s.*Enabled=0/))
        #expect(trail.contains(/\s786\s.*Entry=system-user/))
    }

    @Test("Users, groups and restrictions are made, listed and removed, each with its audit event")
    func administration() async throws {
        let fixture = try await Fixture()
        try fixture.site.secret("password of carol", to: "carol.password")
        try await fixture.may(
            "user", "add", "--name", "EXAMPLE\\carol", "--password", "file:\(fixture.site.path("carol.password"))")
        try await fixture.may("user", "add", "--name", "dave", "--no-password", "--role", "auditor")
        try await fixture.may("user", "map", "dave", "--certificate-name", "dave@example.test")
        try await fixture.may("group", "add", "Sales", "--role", "reader")
        try await fixture.may("group", "join", "Sales", "EXAMPLE\\carol", "dave")
        try await fixture.may("group", "leave", "Sales", "dave")
        try await fixture.may("user", "set-roles", "EXAMPLE\\carol", "--role", "certificate-manager")
        try await fixture.may("role", "restrict", "EXAMPLE\\carol", "--group", "Sales", "--template", "User")
        try await fixture.may("role", "restrict", "EXAMPLE\\carol", "--deny", "--template", "WebServer")

        #expect(try await fixture.may("user", "list").contains(/EXAMPLE\\carol +certificate-manager +Sales/))
        #expect(try await fixture.may("group", "list").contains(/Sales +reader +EXAMPLE\\carol\n/))
        #expect(try await fixture.may("role", "list").contains(/certificate-name +dave@example.test +- +dave/))
        let restrictions = try await fixture.may("role", "restrictions")
        #expect(restrictions.contains(/EXAMPLE\\carol +allow +Sales +User/))
        #expect(restrictions.contains(/EXAMPLE\\carol +deny +\* +WebServer/))

        try await fixture.may("role", "unrestrict", "EXAMPLE\\carol")
        try await fixture.may("user", "unmap", "--certificate-name", "dave@example.test")
        try await fixture.may("user", "remove", "dave")
        try await fixture.may("group", "remove", "Sales")
        #expect(try await fixture.refusal("user", "remove", "dave").contains("There is no user \"dave\"."))
        #expect(try await !fixture.may("group", "list").contains("Sales"))
        let trail = try await fixture.may("audit", "show", "--limit", "1000")
        #expect(trail.matches(of: /\s786\s/).count == 10)
        #expect(trail.matches(of: /\s794\s/).count == 3)
        #expect(!trail.contains("password of carol"))
    }

    @Test("The matrix is printed as a table and as JSON")
    func matrix() async throws {
        let table = try await succeed([Programs.signet, "role", "matrix"]).text
        #expect(table.contains(/delete-rows +\+ +\+ +-/))
        #expect(table.contains(/back-up +- +- +- +x/))
        let json = try await succeed([Programs.signet, "role", "matrix", "--json"]).stdout
        let object = try #require(JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        #expect((object["operations"] as? [[String: Any]])?.count == 33)
    }
}
