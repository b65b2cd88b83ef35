import Foundation
import TestSupport
import Testing

@Suite("signet backup verify --scratch, recipients, list, reminder")
struct BackupVerificationTests {
    private static func password(_ site: Site) -> String { "file:\(site.path("pin-user"))" }

    /// Deletes the CA's private key from its token.
    private static func deleteKey(_ site: Site) async throws {
        try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", "issuing", "--login", "--pin", "12345678",
                "--delete-object", "--type", "privkey", "--label", "Test Issuing CA",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
    }

    @Test(
        "A verification restores, starts, proves keys, signs a list and opens an archived key; every use of the CA key is booked"
    )
    func rehearsal() async throws {
        let site = try await Site.issuing()
        let card = try await site.makeAgent()
        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        let issuing = site.path("issuing")
        try await site.operate(
            "request", "submit", "--instance", issuing, "--out", site.path("alice.crt"), site.path("alice.cmc"))
        try await site.backUp(to: "full")
        let serial = try await site.certify("www")
        try await site.operate("certificate", "revoke", "--instance", issuing, serial)
        try await site.backUp(to: "increment", "--incremental")
        let done = try await site.operate(
            "backup", "verify", "--instance", issuing, "--password", Self.password(site), "--scratch",
            site.path("scratch"), "--token-file", card, site.path("increment"), site.path("full"))
        #expect(done.text.contains("Restored \"Test Issuing CA\" as of "))
        #expect(done.text.contains("Audit chain: verifies, "))
        #expect(done.text.contains("CA key 0: proven pkcs11:"))
        #expect(done.text.contains("exchange key of request "))
        #expect(done.text.contains("CRL of key 0: signed and verified, 1 entries, given to nobody\n"))
        #expect(done.text.contains("Archived keys: 1 opened, 0 failed\n"))
        #expect(!FileManager.default.fileExists(atPath: site.path("scratch")))
        // A proof, a list and a recovery blob.
        let events = try await site.operate("audit", "show", "--instance", issuing, "--limit", "100000")
        #expect(events.text.components(separatedBy: "verification of backup").count == 4, "\(events.text)")
        try await site.operate("audit", "verify", "--instance", issuing)
        // What was there is not taken.
        let taken = try await site.signet(
            "backup", "verify", "--instance", issuing, "--password", Self.password(site), "--scratch",
            site.path("full"),
            site.path("full"))
        #expect(taken.status == 1 && taken.stderr.contains("0x80070050"), "\(taken.stderr)")
    }

    @Test("A verification fails when the key has gone from its token, and succeeds with a spare token that has a copy")
    func spareToken() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "full")
        // What SoftHSM offers in place of a maker's clone: its files, behind a module of its own.
        let spare = site.path("tokens-spare")
        try FileManager.default.copyItem(atPath: site.path("tokens-issuing"), toPath: spare)
        let module = site.path("spare-softhsm.so")
        try FileManager.default.copyItem(
            at: URL(fileURLWithPath: Site.softHSM).resolvingSymlinksInPath(), to: URL(fileURLWithPath: module))
        try site.directory.write("spare.conf", Array("directories.tokendir = \(spare)\n".utf8))
        try site.directory.write(
            "spare.yaml",
            Array(
                """
                module: \(module)
                module-environment: {SOFTHSM2_CONF: "\(site.path("spare.conf"))"}
                token: "pkcs11:token=issuing"
                profile: softhsm2
                pin: "file:\(site.path("pin-user"))"

                """.utf8))
        try await Self.deleteKey(site)
        let arguments = [
            "backup", "verify", "--instance", site.path("issuing"), "--password", Self.password(site), "--scratch",
            site.path("scratch"), site.path("full"),
        ]
        let failed = try await site.signet(arguments)
        #expect(failed.status == 2, "\(failed.text)\n\(failed.stderr)")
        #expect(failed.text.contains("CA key 0: does not work, not offered"))
        #expect(!FileManager.default.fileExists(atPath: site.path("scratch")))
        let proven = try await site.signet(arguments + ["--spare-token", "ca=\(site.path("spare.yaml"))"])
        #expect(proven.status == 0, "\(proven.text)\n\(proven.stderr)")
        #expect(proven.text.contains("CA key 0: proven pkcs11:"))
        let unknown = try await site.signet(arguments + ["--spare-token", "other=\(site.path("spare.yaml"))"])
        #expect(unknown.status == 1 && unknown.stderr.contains("other"))
        #expect(!FileManager.default.fileExists(atPath: site.path("scratch")))
    }

    @Test("A backup to a certificate is restored with the token that has its key, and with no other")
    func recipient() async throws {
        let site = try await Site.issuing()
        let card = try await site.makeAgent()
        let issuing = site.path("issuing")
        let agents = try await site.operate("kra", "list", "--instance", issuing)
        #expect(agents.text.contains("Agent"))
        try await succeed(
            [
                "pkcs11-tool", "--module", Programs.simulator, "--login", "--pin", "12345678", "--read-object",
                "--type",
                "cert", "--label", "Agent", "--output-file", site.path("agent.crt"),
            ], environment: ["SIGNET_SIMULATOR": site.path("card-simulator.yaml")])
        try await site.operate(
            "backup", "create", "--instance", issuing, "--recipient", site.path("agent.crt"), site.path("full"))
        try await site.certify("late")
        try await site.operate(
            "backup", "create", "--instance", issuing, "--recipient", site.path("agent.crt"), "--incremental",
            site.path("increment"))
        let arguments = [
            "restore", site.path("increment"), site.path("full"), "--instance", site.path("new"), "--authority-sha256",
            try await site.issuingSHA256(),
        ]
        let wrong = try await site.signet(arguments + ["--opener-token-file", site.path("issuing.yaml")])
        #expect(wrong.status == 1 && wrong.stderr.contains("0x80070056"), "\(wrong.stderr)")
        #expect(wrong.stderr.contains("no token here has the key of a recipient: certificate "))
        let unasked = try await site.signet(arguments + ["--password", Self.password(site)])
        #expect(unasked.status == 1 && unasked.stderr.contains("it is not encrypted to a password"))
        let restored = try await site.signet(arguments + ["--opener-token-file", card])
        #expect(restored.status == 0, "\(restored.text)\n\(restored.stderr)")
        let list = try await site.operate("request", "list", "--instance", site.path("new"), "--limit", "100")
        #expect(list.text.contains("late.example.test"))
        let whole = try await site.operate(
            "backup", "verify", "--instance", issuing, "--opener-token-file", card, site.path("full"),
            site.path("increment"))
        #expect(
            whole.text.contains("increment: incremental backup of \"Test Issuing CA\", whole, decrypted and compared"))
    }

    @Test("A list of backups has each with its place in the chain, oldest first")
    func list() async throws {
        let site = try await Site.issuing()
        let empty = try await site.signet("backup", "list", site.path("root"))
        #expect(empty.status == 1)
        #expect(empty.stderr.contains("The expected data does not exist in this directory."))
        #expect(empty.stderr.contains("0x8007010b"))
        try FileManager.default.createDirectory(atPath: site.path("backups"), withIntermediateDirectories: false)
        try await site.backUp(to: "backups/full")
        try await site.backUp(to: "backups/a", "--incremental")
        try await site.backUp(to: "backups/b", "--incremental")
        let lines = try await site.operate("backup", "list", site.path("backups")).text.split(separator: "\n")
        #expect(lines.count == 4)
        let rows = lines.dropFirst().map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
        #expect(Set(rows.map { $0[0] }) == Set(["full", "a", "b"].map { site.path("backups/\($0)") }))
        let base = try #require(rows.first { $0[1] == "full" }?.last)
        #expect(rows.first { $0[0].hasSuffix("/a") }?[3...5].joined(separator: " ") == "1 after \(base)")
        #expect(rows.first { $0[0].hasSuffix("/b") }?[3...5].joined(separator: " ") == "2 after \(base)")
    }

    @Test("The service warns at each start until a backup has the CA certificate in place")
    func serviceReminder() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        for expected in [1, 2] {
            let service = try await RunningService(site, port: port)
            #expect(try await service.stop() == 0)
            #expect(try Self.warnings(site) == expected)
        }
        try await site.backUp(to: "full")
        let service = try await RunningService(site, port: port)
        #expect(try await service.stop() == 0)
        #expect(try Self.warnings(site) == 2)
    }

    private static func warnings(_ site: Site) throws -> Int {
        let log = String(decoding: try site.directory.read("signetd.log"), as: UTF8.self)
        return log.components(separatedBy: "no backup has the CA certificate in place").count - 1
    }

    @Test("A backup is asked for after the installation and after a renewal, by line and event, until there is one")
    func reminder() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("root")
        let root = site.path("root")
        let made = try await site.operate(
            "init", "root", root, "--name", "Test Root CA", "--subject", "CN=Test Root CA,O=Test", "--token-file",
            token,
            "--key-algorithm", "p-384", "--publication-url", "http://localhost:1")
        let advice = "Now back the CA up, its database and its key: signet backup create --instance \(root) "
        #expect(made.text.contains(advice))
        let yaml = "\(root)/signet.yaml"
        let text = try String(contentsOfFile: yaml, encoding: .utf8)
        #expect(text.contains("  # file: events.log"))
        try text.replacing("  # file: events.log", with: "  file: events.log")
            .write(toFile: yaml, atomically: true, encoding: .utf8)
        try await site.operate("crl", "publish", "--instance", root)
        func reminders() throws -> Int {
            try String(contentsOfFile: "\(root)/events.log", encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("10060") }.count
        }
        #expect(try reminders() == 1)
        try await site.operate(
            "backup", "create", "--instance", root, "--password", Self.password(site), site.path("backup"))
        let renewed = try await site.operate("ca", "renew", "--instance", root)
        #expect(renewed.text.contains(advice))
        #expect(try reminders() == 2)
    }
}
