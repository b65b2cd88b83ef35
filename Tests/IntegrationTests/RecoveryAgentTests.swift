import Foundation
import TestSupport
import Testing

/// "Troubleshooting KRA Configuration" of the white paper "Key Archival and Management in Windows Server 2003", at an
/// instance on disk.
@Suite("Key recovery agents, on the command line")
struct RecoveryAgentTests {
    @Test("kra status says why no key is archived: nobody configured, revoked, too few; and kra remove keeps enough")
    func status() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let none = try await site.signet("kra", "status", "--instance", issuing)
        #expect(none.status == 1)
        #expect(none.text.contains("0x8009400a (-2146877430)"))

        _ = try await site.makeAgent()
        let good = try await site.operate("kra", "status", "--instance", issuing)
        #expect(good.text.contains("0: CN=Agent\n"))
        #expect(good.text.contains("  State: 3 valid\n"))
        #expect(good.text.hasSuffix("Keys are archived to 1 of 1 agents in turn.\n"))
        let serial = try #require(good.text.firstMatch(of: /Serial Number: ([0-9A-Fa-f]+)/)).1

        let kept = try await site.signet("kra", "remove", "--instance", issuing, String(serial))
        #expect(kept.status == 1)
        #expect(kept.stderr.contains("0x80070057"))

        let yaml = "\(issuing)/signet.yaml"
        let text = try String(contentsOfFile: yaml, encoding: .utf8)
        try text.replacing("recovery-agents: 1", with: "recovery-agents: 2").write(
            toFile: yaml, atomically: true, encoding: .utf8)
        let few = try await site.signet("kra", "status", "--instance", issuing)
        #expect(few.status == 1)
        #expect(few.text.contains("No key is archived") && few.text.contains("0x8009400b (-2146877429)"))
        try text.write(toFile: yaml, atomically: true, encoding: .utf8)

        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        try await site.operate(
            "certificate", "revoke", "--instance", issuing, "--reason", "keyCompromise", String(serial))
        let revoked = try await site.signet("kra", "status", "--instance", issuing)
        #expect(revoked.status == 1)
        #expect(revoked.text.contains("  State: 2 revoked\n"))
        #expect(revoked.text.contains("The certificate is revoked. 0x80092010 (-2146885616)"))
        let refused = try await site.signet(
            "request", "submit", "--instance", issuing, "--out", site.path("alice.crt"), site.path("alice.cmc"))
        #expect(refused.status == 1)
        #expect(refused.stderr.contains("0x8009400b CERTSRV_E_NO_VALID_KRA"))
        #expect(!FileManager.default.fileExists(atPath: site.path("alice.crt")))

        try await site.operate("kra", "remove", "--instance", issuing, "--force", String(serial))
        let gone = try await site.signet("kra", "status", "--instance", issuing)
        #expect(gone.text.contains("0x8009400a (-2146877430)"))
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    /// "If the CA is unable to retrieve a current CRL": nobody could tell of a revoked agent. Requests without a key are
    /// decided as before, because the revocations of this CA are in its database.
    @Test("With the CA's list out of date or missing no key is archived, 0x80092013 says why, and a new list ends it")
    func revocationList() async throws {
        let site = try await Site.issuing()
        _ = try await site.makeAgent()
        let issuing = site.path("issuing")
        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        let submit = [
            "request", "submit", "--instance", issuing, "--out", site.path("alice.crt"), site.path("alice.cmc"),
        ]
        for change in ["UPDATE revocation_list SET next_update = this_update", "DELETE FROM revocation_list"] {
            try await self.change(issuing, change)
            let state = try await site.signet("kra", "status", "--instance", issuing)
            #expect(state.status == 1)
            #expect(state.text.contains("  State: 4 invalid\n"))
            #expect(
                state.text.contains(
                    "The revocation function was unable to check revocation because the revocation server was offline. "
                        + "0x80092013 (-2146885613)"))
            let refused = try await site.signet(submit)
            #expect(refused.status == 1)
            #expect(refused.stderr.contains("0x8009400b CERTSRV_E_NO_VALID_KRA"))
            #expect(refused.stderr.contains("there is no current revocation list of its issuer"))
            #expect(!FileManager.default.fileExists(atPath: site.path("alice.crt")))
        }
        try await site.issue("www")
        try await site.operate("crl", "publish", "--instance", issuing)
        try await succeed([Programs.signet] + submit)
        try await site.operate("kra", "status", "--instance", issuing)
    }

    private func change(_ instance: String, _ statement: String) async throws {
        try await succeed([
            "python3", "-c",
            """
            import sqlite3, sys
            database = sqlite3.connect(sys.argv[1])
            database.execute(sys.argv[2])
            database.commit()
            """, "\(instance)/signet.sqlite", statement,
        ])
    }
}

@Suite("Evidence of archived keys, on the command line")
struct EvidenceTests {
    @Test("key evidence tells each key's way, lists those that were in host memory, and the CA signs what it printed")
    func evidence() async throws {
        let site = try await Site.issuing()
        _ = try await site.makeAgent()
        let issuing = site.path("issuing")
        for (name, format) in [("alice", "token-wrapped"), ("bob", "cms-aes")] {
            try await site.makeArchivalRequest(name, format: format)
            try await site.operate(
                "request", "submit", "--instance", issuing, "--out", site.path("\(name).crt"), site.path("\(name).cmc"))
        }
        try await site.operate("audit", "sign", "--instance", issuing)
        let all = try await site.operate("key", "evidence", "--instance", issuing).text
        #expect(all.contains("  Path: on-token\n") && all.contains("  Path: host-memory\n"))
        #expect(all.contains("  Token: issuing, serial number "))
        #expect(all.contains("sensitive yes, extractable yes, local no"))
        #expect(all.matches(of: /Vouched for: audit entry \d+, under a signed head/).count == 2)
        #expect(all.hasSuffix("2 archived keys; in host memory: 1\n"))

        let listed = try await site.operate(
            "key", "evidence", "--instance", issuing, "--host-memory", "--statement", site.path("statement"))
        #expect(listed.text.contains("  Format: cms-aes\n") && !listed.text.contains("token-wrapped"))
        let statement = try await succeed([
            "openssl", "cms", "-verify", "-inform", "DER", "-in", site.path("statement"), "-CAfile",
            site.path("chain.pem"), "-purpose", "any",
        ]).text
        try site.directory.write("list", listed.stdout)
        let digest = try await succeed(["sha256sum", site.path("list")]).text.prefix(64)
        #expect(statement.hasPrefix("signet-archival-evidence 1 keys=2 in-host-memory=1 changed=0 unvouched=0 "))
        #expect(statement.contains(" sha256=\(digest) "))

        try await succeed([
            "python3", "-c",
            """
            import sqlite3, sys
            database = sqlite3.connect(sys.argv[1])
            database.execute("UPDATE archived_key SET evidence = replace(evidence, 'host-memory', 'on-token')")
            database.commit()
            """, "\(issuing)/signet.sqlite",
        ])
        let forged = try await site.signet("key", "evidence", "--instance", issuing, "--host-memory")
        #expect(forged.status == 1)
        #expect(forged.text.contains("NO, THE RECORD WAS CHANGED"))
        try await site.operate("audit", "verify", "--instance", issuing)
    }
}
