import Foundation
import TestSupport
import Testing

@Suite("docs/runbooks")
struct RunbookTests {
    @Test("A lost database is rebuilt of what was published: nothing revoked becomes valid, and no number comes again")
    func lostDatabase() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("root")
        let work = site.path("work")
        try await succeed(["mkdir", "-p", "\(work)/published", "\(work)/issued"])
        let root = "\(work)/root-ca"
        try await site.operate(
            "init", "root", root, "--name", "Example Root CA", "--subject", "CN=Example Root CA", "--token-file", token,
            "--key-algorithm", "p-256", "--publication-url", "http://pki.example.test")
        var serials: [String] = []
        for name in ["kept", "revoked", "unknown"] {
            let file = name == "unknown" ? site.path("unknown.crt") : "\(work)/issued/\(name).crt"
            try await site.operate(
                "request", "submit", "--instance", root, "--template", "WebServer", "--out", file,
                site.makeRequest(name))
            let text = try await succeed(["openssl", "x509", "-in", file, "-noout", "-serial"])
                .text
            serials.append(text.trimmingCharacters(in: .newlines).components(separatedBy: "=").last ?? "")
        }
        for serial in serials.dropFirst() {
            try await site.operate("certificate", "revoke", "--instance", root, "--reason", "keyCompromise", serial)
        }
        for _ in 0..<3 { try await site.operate("crl", "publish", "--instance", root) }
        try await succeed(["bash", "-c", "cp '\(root)'/publish/* '\(work)/published/'; rm -r '\(root)'"])

        let result = try await self.follow("lost-database", in: work, ["TOKEN_FILE": token])
        #expect(result.text.contains("Taken over: 2 certificates, 2 revocations\n"), "\(result.text)")
        let again = "\(work)/again"
        let list = try await succeed([
            "openssl", "crl", "-in", "\(again)/publish/Example Root CA.crl", "-inform", "DER", "-text", "-noout",
        ]).text
        #expect(!list.contains(serials[0]) && list.contains(serials[1]) && list.contains(serials[2]), "\(list)")
        let old = try await succeed([
            "openssl", "crl", "-in", "\(work)/published/Example Root CA.crl", "-inform", "DER", "-crlnumber", "-noout",
        ]).text
        let new = try await succeed([
            "openssl", "crl", "-in", "\(again)/publish/Example Root CA.crl", "-inform", "DER", "-crlnumber", "-noout",
        ]).text
        #expect(self.number(new) > self.number(old))
        // A certificate that turns up later comes in; a new one gets another number than any of before.
        let later = try await site.operate("database", "rebuild", "--instance", again, site.path("unknown.crt"))
        #expect(later.text.contains("Taken over: 1 certificates, 0 revocations\n"), "\(later.text)")
        let repeated = try await site.operate("database", "rebuild", "--instance", again, "\(work)/issued")
        #expect(repeated.text.contains("Taken over: 0 certificates, 0 revocations\n"))
        try await site.operate(
            "request", "submit", "--instance", again, "--template", "WebServer", "--out", site.path("new.crt"),
            site.makeRequest("new"))
        #expect(try await !serials.contains(site.serial(of: "new.crt")))
        try await site.operate("audit", "verify", "--instance", again)
        let nonsense = try await site.signet("database", "rebuild", "--instance", again, token)
        #expect(nonsense.status == 1 && nonsense.stderr.contains("neither a certificate nor a revocation list"))
    }

    @Test("A lost HSM is replaced by its clone, with keys that were proven before")
    func lostHSM() async throws {
        let site = try await Site.issuing()
        let spare = site.path("spare.yaml")
        // The clone: the maker's tool copies the device, keys and all.
        let (lost, clone) = (site.path("tokens-issuing"), site.path("tokens-spare"))
        try await succeed(["cp", "-a", lost, clone])
        for (name, copy) in [("issuing.conf", "spare.conf"), ("issuing.yaml", "spare.yaml")] {
            let text = String(decoding: try site.directory.read(name), as: UTF8.self)
            try site.directory.write(
                copy,
                Array(text.replacing(lost, with: clone).replacing("issuing.conf", with: "spare.conf").utf8))
        }
        try await succeed(["rm", "-r", lost])
        let broken = try await site.signet("crl", "publish", "--instance", site.path("issuing"))
        #expect(broken.status == 1)
        let work = site.path("work")
        try await succeed(["mkdir", work])
        let result = try await self.follow(
            "lost-hsm", in: work, ["INSTANCE": site.path("issuing"), "SPARE_TOKEN": spare])
        #expect(result.text.contains("CertUtil: -verifykeys command completed successfully."), "\(result.text)")
        try await site.certify("after")
    }

    @Test("When a card is dead, another agent's card opens the archives for a new one, and the dead one is out")
    func deadCard() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        _ = try await site.makeAgent()
        let other = try await site.makeCard("other", profile: "generic-32k-smartcard")
        try await site.operate("kra", "enroll", "--instance", issuing, "--token-file", other, "--name", "Other")
        let number = try await site.pendingRequest()
        try await site.operate("request", "approve", "--instance", issuing, number)
        try await site.operate("kra", "accept", "--instance", issuing, "--token-file", other, "--request", number)
        try await site.operate("kra", "add", "--instance", issuing, "--request", number)
        try site.change("recovery-agents: 1", "recovery-agents: 2")
        for name in ["alice", "bob"] {
            try await site.makeArchivalRequest(name, format: "token-wrapped")
            try await site.operate(
                "request", "submit", "--instance", issuing, "--out", site.path("\(name).crt"), site.path("\(name).cmc"))
        }
        let agents = try await site.operate("kra", "status", "--instance", issuing).text
        let dead = try #require(agents.firstMatch(of: /CN=Agent\n(?:.*\n)*?.*Serial Number: ([0-9A-Fa-f]+)/)).1
        try await succeed(["rm", "-r", site.path("tokens-card")])
        let new = try await site.makeCard("new", profile: "generic-32k-smartcard")
        let work = site.path("work")
        try await succeed(["mkdir", work])
        let result = try await self.follow(
            "dead-agent-card", in: work,
            ["SIGNET_INSTANCE": issuing, "DEAD": String(dead), "NEW_CARD": new, "OTHER_CARD": other])
        #expect(result.text.contains("Encrypted anew: 2\n"), "\(result.text)")
        #expect(result.text.contains("Recovered: 2\n"), "\(result.text)")
        let who = try await site.operate("key", "get", "--instance", issuing, site.serial(of: "alice.crt")).text
        #expect(!who.contains("CN=Agent") && who.contains("KRA 3"), "\(who)")
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    private func follow(_ name: String, in work: String, _ environment: [String: String]) async throws -> ToolResult {
        let result = try await run(
            ["bash", "-c", "set -euo pipefail; cd '\(work)'\n" + Programs.script(ofDocument: "runbooks/\(name).md")],
            environment: environment.merging(["PATH": Programs.searchPath]) { old, _ in old })
        #expect(result.status == 0, "\(result.text)\n\(result.stderr)")
        return result
    }

    private func number(_ text: String) -> Int {
        Int(text.trimmingCharacters(in: .newlines).components(separatedBy: "=0x").last ?? "", radix: 16) ?? -1
    }
}
