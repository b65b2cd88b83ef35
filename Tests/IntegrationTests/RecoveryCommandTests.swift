import Foundation
import TestSupport
import Testing

@Suite("Recovering several keys, on the command line")
struct RecoveryCommandTests {
    /// Archived keys of people, and their recovery blobs in `NAME.rec`.
    private func makeBlobs(_ site: Site, _ names: String...) async throws {
        let issuing = site.path("issuing")
        for name in names {
            try await site.makeArchivalRequest(name, format: "token-wrapped")
            try await site.operate(
                "request", "submit", "--instance", issuing, "--out", site.path("\(name).crt"), site.path("\(name).cmc"))
            try await site.operate(
                "key", "get", "--instance", issuing, "--out", site.path("\(name).rec"),
                site.serial(of: "\(name).crt"))
        }
    }

    /// With the card found behind a module, without a description of it.
    private func recover(_ site: Site, into directory: String, _ blobs: String...) async throws -> ToolResult {
        try site.secret("file password", to: "file.password")
        return try await run(
            [
                Programs.signet, "recover", "--module", Programs.simulator, "--profile", "generic-32k-smartcard",
                "--pin",
                "file:\(site.path("pin-user"))", "--ca-certificates", site.path("chain.pem"), "--password",
                "file:\(site.path("file.password"))", "--timeout", "0", "--out-directory", directory,
            ] + blobs.map { site.path($0) },
            environment: ["SIGNET_SIMULATOR": site.path("card-simulator.yaml")])
    }

    private func files(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Test(
        "--module finds the card, --out-directory has a PKCS #12 for each key, and nothing is overwritten or half done")
    func directory() async throws {
        let site = try await Site.issuing()
        _ = try await site.makeAgent()
        try await self.makeBlobs(site, "alice", "bob")
        let directory = site.path("keys")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try site.directory.write("broken.rec", Array(site.directory.read("bob.rec").dropLast()))
        let broken = try await self.recover(site, into: directory, "alice.rec", "broken.rec")
        #expect(broken.status == 1 && broken.stderr.contains("0x8007000d"), "\(broken.stderr)")
        #expect(broken.stderr.contains("file: \(site.path("broken.rec"))\n"), "\(broken.stderr)")
        #expect(try self.files(directory).isEmpty)

        let result = try await self.recover(site, into: directory, "alice.rec", "bob.rec")
        #expect(result.status == 0, "\(result.stderr)")
        let files = try self.files(directory)
        #expect(files.count == 2)
        for name in ["alice", "bob"] {
            let serial = try await site.serial(of: "\(name).crt")
            let file = try #require(files.first { $0.hasSuffix("-\(serial).p12") }, "\(files)")
            let opened = try await succeed([
                "openssl", "pkcs12", "-in", "\(directory)/\(file)", "-passin", "file:\(site.path("file.password"))",
                "-nodes",
            ]).stdout
            let mine = try await succeed(["openssl", "pkey", "-pubout"], input: opened).text
            let wanted = try await succeed(["openssl", "x509", "-in", site.path("\(name).crt"), "-noout", "-pubkey"])
            #expect(mine == wanted.text)
        }
        let before = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(files[0])"))
        let again = try await self.recover(site, into: directory, "alice.rec")
        #expect(again.status == 1 && again.stderr.contains("0x80070050"), "\(again.stderr)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(files[0])")) == before)
    }

    @Test("At a terminal the agent whose card is wanted is named, and a bar shows how far the recovery is")
    func prompt() async throws {
        let site = try await Site.issuing()
        let card = try await site.makeAgent()
        try await self.makeBlobs(site, "alice", "bob")
        try site.setFaults(
            """
              - {function: C_GetSlotList, call: 1, effect: eject}
              - {function: C_GetSlotList, call: 6, effect: insert}
            """, on: "card")
        try site.secret("file password", to: "file.password")
        let shown = try await site.onTerminal(
            after: "", type: "",
            [
                Programs.signet, "recover", "--token-file", card, "--ca-certificates", site.path("chain.pem"),
                "--password", "file:\(site.path("file.password"))", "--timeout", "0", "--out",
                site.path("alice.p12"), site.path("alice.rec"), site.path("bob.rec"),
            ])
        #expect(shown.status == 0, "\(shown.text)")
        #expect(shown.text.contains("Insert the card of one of: CN=Agent, serial number "))
        #expect(shown.text.contains("\r\u{1B}[K[###############...............] 50 %  1 of 2 keys\r"))
        #expect(shown.text.contains("[##############################] 100 %  2 of 2 keys\r\u{1B}[K"))
        #expect(FileManager.default.fileExists(atPath: site.path("alice.p12")))
    }

    @Test(
        "A key of another CA is imported where that is allowed and meant; the audit trail holds, and nobody revokes it")
    func foreign() async throws {
        let site = try await Site.issuing()
        _ = try await site.makeAgent()
        let issuing = site.path("issuing")
        try site.secret("file password", to: "file.password")
        let password = "file:\(site.path("file.password"))"
        try await succeed([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", site.path("other.key"), "-out",
            site.path("other.crt"), "-subj", "/CN=zoe", "-days", "30",
        ])
        try await succeed([
            "openssl", "pkcs12", "-export", "-in", site.path("other.crt"), "-inkey", site.path("other.key"), "-out",
            site.path("other.p12"), "-passout", password,
        ])
        let refused = try await site.signet(
            "key", "import", "--instance", issuing, "--force", "--old-password", password, site.path("other.p12"))
        #expect(refused.status == 1 && refused.text.contains("Keys not archived: 1\n"), "\(refused.text)")
        try site.change("foreign-certificates: false", "foreign-certificates: true")
        let taken = try await site.operate(
            "key", "import", "--instance", issuing, "--force", "--old-password", password, site.path("other.p12"))
        #expect(taken.text.contains("Foreign certificates imported: 1\n"))
        #expect(taken.text.contains("Keys archived: 1\n"))
        let evidence = try await site.operate("key", "evidence", "--instance", issuing, "--host-memory").text
        #expect(evidence.contains("  Imported: from a pkcs12-file, by "))
        let serial = try await site.serial(of: "other.crt")
        let revoked = try await site.signet("certificate", "revoke", "--instance", issuing, serial)
        #expect(revoked.status == 1 && revoked.stderr.contains("0x80094004"), "\(revoked.stderr)")
        try await site.operate("audit", "verify", "--instance", issuing)
        #expect(try await site.operate("key", "find", "--instance", issuing, "zoe").text.contains(serial))
    }
}
