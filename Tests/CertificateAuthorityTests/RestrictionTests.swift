import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import Testing

@Suite("Restricted certificate managers")
struct RestrictionTests {
    private static let conflicted = Principal(
        name: "EXAMPLE\\both", roles: [.certificateManager, .administrator], isRoleSeparationEnforced: true)

    private func fixture(_ restrictions: ManagerRestriction...) async throws -> CAFixture {
        var template = BuiltInTemplates.webServer
        template.pendAll = true
        let fixture = try await CAFixture(templates: [template, BuiltInTemplates.user])
        try await fixture.storage.write { db in
            try db.upsert(GroupRecord(name: "Sales", members: [CAFixture.alice.name]))
            for restriction in restrictions { try db.insert(restriction) }
        }
        return fixture
    }

    private func pend(_ fixture: CAFixture, by caller: Principal) async throws -> Int64 {
        try await fixture.submit(
            Requester().certificationRequest(dnsNames: ["www.example.test"]),
            attributes: "CertificateTemplate:WebServer", by: caller
        ).requestID
    }

    private func code(_ body: () async throws -> Void) async -> HRESULT? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? any DiagnosableError)?.hresult
        }
    }

    @Test("A manager of one group approves its members' requests, and no others: 0x80094009")
    func group() async throws {
        let fixture = try await self.fixture(
            ManagerRestriction(manager: CAFixture.manager.name, effect: .allow, group: "sales"))
        let hers = try await self.pend(fixture, by: CAFixture.alice)
        let his = try await self.pend(fixture, by: CAFixture.bob)
        #expect(
            await self.code { _ = try await fixture.authority.approve(request: his, by: CAFixture.manager) }
                == .restrictedOfficer)
        #expect(
            await self.code { _ = try await fixture.authority.deny(request: his, by: CAFixture.manager) }
                == .restrictedOfficer)
        #expect(try await fixture.row(his)?.disposition == .pending)
        let result = try await fixture.authority.approve(request: hers, by: CAFixture.manager)
        #expect(result.disposition == .issued)
    }

    @Test("Revoking is restricted by the requester and template of the certificate")
    func revocation() async throws {
        let fixture = try await self.fixture(
            ManagerRestriction(manager: CAFixture.manager.name, effect: .allow, template: "User"))
        let id = try await self.pend(fixture, by: CAFixture.alice)
        let other = Principal(name: "EXAMPLE\\other", roles: [.certificateManager])
        let issued = try await fixture.authority.approve(request: id, by: other)
        let serial = try CertificateFields(derEncoded: issued.certificateDER ?? []).serialHex
        let refusal = await self.code {
            try await fixture.authority.revoke(serialNumber: serial, reason: .keyCompromise, by: CAFixture.manager)
        }
        #expect(refusal == .restrictedOfficer)
        #expect(
            HRESULT.restrictedOfficer.text
                == "The operation is denied. It can only be performed by a certificate manager that is allowed to "
                + "manage certificates for the current requester.")
        try await fixture.authority.revoke(serialNumber: serial, reason: .keyCompromise, by: other)
    }

    @Test("What denies goes before what allows, and without anything that allows all is denied")
    func order() async throws {
        let manager = CAFixture.manager
        let fixture = try await self.fixture(
            ManagerRestriction(manager: manager.name, effect: .allow),
            ManagerRestriction(manager: manager.name, effect: .deny, group: "Sales", template: "WebServer"),
            ManagerRestriction(manager: "EXAMPLE\\denied", effect: .deny, template: "User"))
        let storage = fixture.storage
        func may(_ manager: String, _ requester: Principal, _ template: String) async throws -> Bool {
            await self.code {
                try await storage.read {
                    try $0.mustManage(
                        Principal(name: manager, roles: []), requester: requester.name, template: template, to: "test")
                }
            } == nil
        }
        #expect(try await !may(manager.name, CAFixture.alice, "WebServer"))
        #expect(try await may(manager.name, CAFixture.alice, "User"))
        #expect(try await may(manager.name, CAFixture.bob, "WebServer"))
        #expect(try await !may("EXAMPLE\\denied", CAFixture.bob, "WebServer"))
        #expect(try await may("EXAMPLE\\free", CAFixture.bob, "WebServer"))
    }

    @Test("Under role separation the CA refuses somebody with two roles, 0x80094008, and nothing changes")
    func separation() async throws {
        let fixture = try await self.fixture()
        let id = try await self.pend(fixture, by: CAFixture.alice)
        let both = RestrictionTests.conflicted
        #expect(await self.code { _ = try await fixture.authority.approve(request: id, by: both) } == .roleConflict)
        #expect(await self.code { _ = try await fixture.authority.publishCRL(by: both) } == .roleConflict)
        #expect(try await fixture.row(id)?.disposition == .pending)
    }
}

@Suite("Who somebody is")
struct PrincipalResolutionTests {
    @Test("A user has the roles of their groups, and role separation as the instance has it")
    func user() async throws {
        let fixture = try await CAFixture()
        let user = UserRecord(name: "EXAMPLE\\carol", passwordHash: "x", roles: [.enrollee])
        try await fixture.storage.write { db in
            try db.upsert(user)
            try db.upsert(GroupRecord(name: "Managers", roles: [.certificateManager], members: ["example\\CAROL"]))
        }
        let before = try await fixture.storage.read { try $0.principal(of: user) }
        #expect(before.roles == [.enrollee, .certificateManager])
        #expect(before.groups == ["Managers"] && !before.isRoleSeparationEnforced)
        try await fixture.storage.write { try $0.setSetting(RoleSettings.separation, to: RoleSettings.on) }
        #expect(try await fixture.storage.read { try $0.principal(of: user) }.isRoleSeparationEnforced)
    }

    @Test("The operator holds every role until roles are given to accounts; then what they and their groups were given")
    func account() async throws {
        let fixture = try await CAFixture()
        let account = SystemAccount(host: "ca1", name: "olga", groups: ["pki", "users"], ownsInstance: true)
        func principal() async throws -> Principal { try await fixture.storage.read { try $0.principal(of: account) } }
        let before = try await principal()
        #expect(before.roles == Set(Role.allCases) && before.name == "ca1\\olga" && before.isInstanceOwner)
        try await fixture.storage.write { db in
            try db.upsert(IdentityMapping(source: .systemGroup, name: "pki", roles: [.auditor]))
        }
        #expect(try await principal().roles == [.auditor])
        try await fixture.storage.write { db in
            try db.upsert(IdentityMapping(source: .systemUser, name: "olga", roles: [.administrator]))
        }
        #expect(try await principal().roles == [.auditor, .administrator])
    }

    @Test("A TLS client certificate stands for a user by thumbprint, subject or name, and for nobody else")
    func certificate() async throws {
        let fixture = try await CAFixture()
        try await fixture.storage.write { db in
            for name in ["a", "b", "c"] {
                try db.upsert(UserRecord(name: name, passwordHash: UserRecord.noPassword, roles: [.reader]))
            }
            try db.upsert(IdentityMapping(source: .certificateThumbprint, name: "ab12", userName: "a"))
            try db.upsert(IdentityMapping(source: .certificateSubject, name: "CN=B,O=Example", userName: "b"))
            try db.upsert(IdentityMapping(source: .certificateName, name: "c@example.test", userName: "c"))
            try db.upsert(IdentityMapping(source: .certificateName, name: "gone@example.test", userName: "gone"))
        }
        func user(_ subject: String, _ names: [String], _ thumbprint: String) async throws -> String? {
            try await fixture.storage.read {
                try $0.principal(certificateSubject: subject, names: names, sha256Thumbprint: thumbprint)?.name
            }
        }
        #expect(try await user("CN=B,O=Example", [], "ab12") == "a")
        #expect(try await user("CN=B,O=Example", ["c@example.test"], "00") == "b")
        #expect(try await user("CN=X", ["x", "c@example.test"], "00") == "c")
        #expect(try await user("CN=X", ["gone@example.test"], "00") == nil)
        #expect(try await user("", [""], "") == nil)
    }
}
