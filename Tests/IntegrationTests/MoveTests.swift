import CAService
import Foundation
import TestSupport
import Testing

@Suite("signet move")
struct MoveTests {
    @Test("A CA that is moved works at the new place, and no more at the old one, whatever is tried there")
    func moved() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let serial = try await site.certify("before")
        let plan = try await site.operate("move", "plan", "--instance", issuing)
        #expect(plan.text.contains("CA: Test Issuing CA. The name stays the same"))
        #expect(plan.text.contains("  WebServer\n"))
        #expect(plan.text.contains("  \(site.path("pin-user"))\n"))
        #expect(plan.text.contains("  http://localhost:2/ca/\n"))
        let password = "file:\(site.path("pin-user"))"
        let exported = try await site.operate(
            "move", "export", "--instance", issuing, "--password", password, site.path("moving"))
        let hash = try #require(exported.text.firstMatch(of: /CA certificate SHA-256: ([0-9a-f]{64})/)).1
        for command in [
            ["ca", "show"], ["crl", "publish"], ["request", "list"], ["move", "plan"],
            ["backup", "create", "--password", password, site.path("other")],
        ] {
            let refused = try await site.signet(command + ["--instance", issuing])
            #expect(refused.status == 1)
            #expect(
                refused.stderr.contains("was moved away") && refused.stderr.contains("0x80094006"), "\(refused.stderr)")
        }
        let service = try await run([Programs.signetd, "--instance", issuing])
        #expect(service.status != 0)

        let new = site.path("elsewhere")
        let imported = try await site.operate(
            "move", "import", "--instance", new, "--authority-sha256", String(hash), "--password", password,
            site.path("moving"))
        #expect(imported.text.contains("Templates: as they were\n"))
        #expect(imported.text.contains("CA key 0: proven pkcs11:"))
        try await site.certify("after", instance: "elsewhere")
        try await site.operate("certificate", "revoke", "--instance", new, serial)
        try await site.operate("crl", "publish", "--instance", new)
        try await site.operate("audit", "verify", "--instance", new)
    }

    @Test("Templates that are other ones than in the backup, or missing, are named by their files, and no others")
    func templates() async throws {
        let site = try await Site.issuing()
        try await site.operate(
            "move", "export", "--instance", site.path("issuing"), "--password", "file:\(site.path("pin-user"))",
            site.path("moving"))
        let manifest = try BackupSet(site.path("moving")).manifest
        let issuing = site.path("issuing")
        #expect(try Instance.templateComparison(in: issuing, since: manifest) == "Templates: as they were")
        try FileManager.default.removeItem(atPath: "\(issuing)/templates/User.yaml")
        let file = "\(issuing)/templates/WebServer.yaml"
        try (String(contentsOfFile: file, encoding: .utf8) + "# changed\n").write(
            toFile: file, atomically: true, encoding: .utf8)
        try Data().write(to: URL(fileURLWithPath: "\(issuing)/templates/Other.yaml"))
        #expect(
            try Instance.templateComparison(in: issuing, since: manifest)
                == "Templates that differ: templates/User.yaml, templates/WebServer.yaml")
    }

    @Test("A move is undone only by somebody who says so, and one that fails leaves the CA as it was")
    func undone() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let password = "file:\(site.path("pin-user"))"
        try await site.backUp(to: "taken")
        let failed = try await site.signet(
            "move", "export", "--instance", issuing, "--password", password, site.path("taken"))
        #expect(failed.status == 1 && failed.stderr.contains("0x80070050"), "\(failed.stderr)")
        try await site.operate("ca", "show", "--instance", issuing)
        let premature = try await site.signet("move", "undo", "--instance", issuing, "--confirm")
        #expect(premature.status == 1 && premature.stderr.contains("was not moved away"))
        try await site.operate("move", "export", "--instance", issuing, "--password", password, site.path("moving"))
        let unconfirmed = try await site.signet("move", "undo", "--instance", issuing)
        #expect(unconfirmed.status != 0)
        try await site.operate("move", "undo", "--instance", issuing, "--confirm")
        try await site.certify("after")
        try await site.operate("audit", "verify", "--instance", issuing)
    }
}
