import Foundation
import TestSupport
import Testing

@Suite("docs/threshold-recovery.md")
struct ThresholdDocumentTests {
    /// Enrols an agent and writes the card's description where the document's commands look.
    ///
    /// - Returns: the serial number of the agent's certificate.
    private func addAgent(_ name: String, _ site: Site, _ work: String) async throws -> String {
        // All cards in readers of one machine, as one process sees them.
        let card = try await site.makeToken(name, beside: name == "anna" ? nil : "anna")
        let issuing = site.path("issuing")
        try await site.operate("kra", "enroll", "--instance", issuing, "--token-file", card, "--name", name)
        let number = try await site.pendingRequest()
        try await site.operate("request", "approve", "--instance", issuing, number)
        try await site.operate("kra", "accept", "--instance", issuing, "--token-file", card, "--request", number)
        try await site.operate("kra", "add", "--instance", issuing, "--request", number)
        try FileManager.default.copyItem(atPath: card, toPath: "\(work)/\(name).yaml")
        let status = try await site.signet("kra", "status", "--instance", issuing).text
        let numbers = status.matches(of: /Serial Number: ([0-9A-Fa-f]+)/).map { String($0.1) }
        return try #require(numbers.last)
    }

    @Test("Every command of the document runs: two of three cards open a key, and one does not")
    func document() async throws {
        let site = try await Site.issuing()
        let work = site.path("work")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        var serials: [String] = []
        for name in ["anna", "bert", "cleo"] { serials.append(try await self.addAgent(name, site, work)) }
        try site.change("recovery-agents: 1", "recovery-agents: 3")
        try site.change("# threshold: {required: 2}", "threshold: {required: 2}")
        try await site.operate("ca", "exchange", "--instance", site.path("issuing"), "--out", site.path("exchange.crt"))
        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        try await site.operate(
            "request", "submit", "--instance", site.path("issuing"), "--out", site.path("alice.crt"),
            site.path("alice.cmc"))
        try FileManager.default.copyItem(atPath: site.path("chain.pem"), toPath: "\(work)/chain.pem")
        try site.secret("key password", to: "work/alice.password")
        let serial = try await site.serial(of: "alice.crt")

        let script = try Programs.script(ofDocument: "threshold-recovery.md")
        #expect(script.contains("--share-for"))
        let result = try await run(
            ["bash", "-c", "set -eu; cd '\(work)'\n" + script],
            environment: [
                "SIGNET_INSTANCE": site.path("issuing"), "PATH": Programs.searchPath, "serial": serial,
                "cleo": serials[2],
            ])
        #expect(result.status == 0, "\(result.text)\n\(result.stderr)")
        #expect(result.text.contains("opens when 2 of these 3 agents act together"))
        #expect(result.stderr.contains("share 2 of 2: CN="))
        let wanted = try await succeed(["openssl", "x509", "-in", site.path("alice.crt"), "-noout", "-pubkey"]).text
        for file in ["alice.p12", "alice-by-file.p12"] {
            let key = try await succeed([
                "openssl", "pkcs12", "-in", "\(work)/\(file)", "-passin", "file:\(work)/alice.password", "-nodes",
                "-nocerts",
            ]).stdout
            let publicKey = try await succeed(["openssl", "pkey", "-pubout"], input: key).text
            #expect(publicKey == wanted)
        }
        try await self.refusals(site, work, cleo: serials[2])
        try await self.release(site, serial)
    }

    /// One card alone, somebody else's share, and the own share twice.
    private func refusals(_ site: Site, _ work: String, cleo: String) async throws {
        for (card, share, code) in [
            ("anna", nil, "0x8009000d"), ("bert", "anna.share", "0x8009000d"), ("cleo", "cleo.share", "0x80070057"),
        ] {
            if share == "cleo.share" {
                try await site.operate(
                    "recover", "--token-file", "\(work)/cleo.yaml", "--ca-certificates", "\(work)/chain.pem",
                    "--share-out",
                    "\(work)/cleo.share", "--share-for", cleo, "\(work)/alice.rec")
            }
            let result = try await run(
                [
                    Programs.signet, "recover", "--token-file", "\(work)/\(card).yaml", "--ca-certificates",
                    "\(work)/chain.pem", "--timeout", "0", "--password", "generate", "--out", "\(work)/none.p12",
                ] + (share.map { ["--share", "\(work)/\($0)"] } ?? []) + ["\(work)/alice.rec"])
            #expect(result.status == 1 && result.stderr.contains(code), "\(card): \(result.stderr)")
            #expect(!FileManager.default.fileExists(atPath: "\(work)/none.p12"))
        }
    }

    /// The one whose key it is cannot consent to its release, nor take it alone by either command.
    private func release(_ site: Site, _ serial: String) async throws {
        let issuing = site.path("issuing")
        let off = try await site.signet("key", "approve", "--instance", issuing, serial)
        #expect(off.status == 1 && off.stderr.contains("0x80070057"), "\(off.stderr)")
        try site.change("approvals: 0", "approvals: 1")
        let approval = try await site.signet("key", "approve", "--instance", issuing, serial)
        #expect(approval.status == 1 && approval.stderr.contains("0x80094009"), "\(approval.stderr)")
        let refused = try await site.signet(
            "key", "get", "--instance", issuing, "--out", site.path("again.rec"), serial)
        #expect(refused.status == 1 && refused.stderr.contains("0x80094009"), "\(refused.stderr)")
        let rows = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "issued", "--numbers")
        var refusals = 0
        for number in rows.text.split(separator: "\n") {
            let exported = try await site.signet(
                "request", "export", "--instance", issuing, "--column", "RawArchivedKey", "--out", site.path("raw"),
                String(number))
            #expect(exported.status == 1)
            refusals += exported.stderr.contains("0x80094009") ? 1 : 0
        }
        #expect(refusals == 1)
        try await site.operate("audit", "verify", "--instance", issuing)
    }
}
