import Foundation
import TestSupport
import Testing

@Suite("Keys that a second token may have")
struct KeyCopyTests {
    @Test(
        "A CA whose token and database are lost is restored with the backup token, issues, and revokes what was issued before",
        arguments: ["p-256", "rsa-2048"])
    func lostToken(algorithm: String) async throws {
        let site = try await Site.issuing(keyAlgorithm: algorithm, options: ["--copyable-key"])
        let issuing = site.path("issuing")
        let spare = try await site.makeToken("spare", beside: "issuing")
        let copied = try await site.operate("backup", "keys", "--instance", issuing, "--to", spare)
        #expect(copied.text.contains("CA key 0: copied and proven pkcs11:"))
        #expect(copied.text.contains("token=spare"))
        let again = try await site.operate("backup", "keys", "--instance", issuing, "--to", spare)
        #expect(again.text == "CA key 0: there already\n")
        let events = try await site.operate("audit", "show", "--instance", issuing, "--limit", "1000")
        #expect(events.text.components(separatedBy: " 10014 ").count == 2)
        // Nothing is left of the way between the tokens.
        let objects = try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", "spare", "-O", "--login", "--pin", "12345678",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
        #expect(objects.text.components(separatedBy: "Private Key Object").count == 2, "\(objects.text)")
        #expect(!objects.text.contains("receives"))
        let serial = try await site.certify("before")
        try await site.backUp(to: "full")
        let shown = try await site.operate("backup", "show", site.path("full"))
        #expect(shown.text.contains("; a copy is on "), "\(shown.text)")

        try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", "issuing", "--login", "--pin", "12345678",
                "--delete-object", "--type", "privkey", "--label", "Test Issuing CA",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
        try FileManager.default.removeItem(atPath: issuing)
        let restored = try await site.restore(
            "full", to: "issuing", ["--authority-sha256", site.issuingSHA256(), "--spare-token", "ca=\(spare)"])
        #expect(restored.status == 0, "\(restored.text)\n\(restored.stderr)")
        #expect(restored.text.contains("CA key 0: proven pkcs11:"))
        try await site.certify("after")
        try await site.operate("certificate", "revoke", "--instance", issuing, serial)
        try await site.operate("crl", "publish", "--instance", issuing)
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test("A key without the permission stays where it is, and the refusal names what the device's maker offers")
    func refused() async throws {
        let site = try await Site.issuing()
        let spare = try await site.makeToken("spare", beside: "issuing")
        let refused = try await site.signet("backup", "keys", "--instance", site.path("issuing"), "--to", spare)
        #expect(refused.status == 1)
        #expect(refused.stderr.contains("0x8009000b"), "\(refused.stderr)")
        #expect(refused.stderr.contains("the device's maker offers: a copy of its token directory"))
        let objects = try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", "spare", "-O", "--login", "--pin", "12345678",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
        #expect(!objects.text.contains("Private Key Object"))
        try await site.backUp(to: "full")
        let shown = try await site.operate("backup", "show", site.path("full"))
        #expect(shown.text.contains("; the device's maker offers: a copy of its token directory"), "\(shown.text)")
    }
}
