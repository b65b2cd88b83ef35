import Foundation
import TestSupport
import Testing

@Suite("docs/key-recovery.md")
struct RecoveryDocumentTests {
    /// What CA, agent and user have.
    enum Tokens: String, CaseIterable, Sendable {
        /// SoftHSM for CA and user, and a simulated card for the agent.
        case card8K = "generic-8k-smartcard"
        case card32K = "generic-32k-smartcard"
        /// SoftHSM, which wraps private keys, for all.
        case softHSM = "softhsm2"
        /// The software token of NSS, which does, too, for all.
        case nss = "nss-softokn"

        var wrapsPrivateKeys: Bool { self == .softHSM || self == .nss }

        func makeSite() async throws -> Site {
            try await Site.issuing(onNSS: self == .nss)
        }

        func makeToken(_ label: String, _ site: Site) async throws -> String {
            self == .nss ? try await site.makeNSSToken(label) : try await site.makeToken(label)
        }

        func makeAgent(_ site: Site) async throws -> String {
            self == .nss
                ? try await site.makeAgent(on: site.makeNSSToken("card"))
                : try await site.makeAgent(profile: self.rawValue)
        }
    }

    @Test(
        "Every command of the document runs with agents' cards of 8 and of 32 KB, on SoftHSM and on NSS softokn",
        arguments: Tokens.allCases)
    func document(tokens: Tokens) async throws {
        let site = try await tokens.makeSite()
        let card = try await tokens.makeAgent(site)
        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        let issuing = site.path("issuing")
        try await site.operate(
            "request", "submit", "--instance", issuing, "--out", site.path("alice.crt"), site.path("alice.cmc"))
        let serial = try await site.serial(of: "alice.crt")
        let newToken = try await tokens.makeToken("new", site)
        let work = site.path("work")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        for (file, name) in [(card, "card.yaml"), (newToken, "new-token.yaml"), (site.path("chain.pem"), "chain.pem")] {
            try FileManager.default.copyItem(atPath: file, toPath: "\(work)/\(name)")
        }
        try await self.makeImported(site, work)
        let script = try Programs.script(ofDocument: "key-recovery.md")
        #expect(script.contains("signet key rewrap"))
        let result = try await run(
            ["bash", "-c", "set -eu; cd '\(work)'\n" + script],
            environment: ["SIGNET_INSTANCE": issuing, "SERIAL": serial, "PATH": Programs.searchPath])
        #expect(result.status == 0, "\(result.text)\n\(result.stderr)")
        #expect(result.text.contains("Keys archived: 1\n") && result.text.contains("Keys archived before: 1\n"))
        // A smart card cannot wrap private keys.
        #expect(result.text.contains("The key was in locked memory of this machine") != tokens.wrapsPrivateKeys)
        let inHostMemory = tokens.wrapsPrivateKeys ? 0 : 2
        #expect(
            result.text.contains("Recovered: 2\n")
                && result.text.contains("Of these in host memory: \(inHostMemory)\n"))
        #expect(result.text.contains("As they were: 2\n"))
        let password = result.text.split(separator: "\n").first { $0.hasPrefix("PASSWORD: ") }?.dropFirst(10)
        #expect(password?.count == 16)
        let judged = try await run(
            ["openssl", "pkcs12", "-in", "\(work)/alice.p12", "-nodes", "-info", "-passin", "env:WORD"],
            environment: ["WORD": String(password ?? "")])
        #expect(judged.status == 0 && judged.text.contains("PRIVATE KEY"), "\(judged.stderr)")
        #expect(judged.stderr.contains("AES-256-CBC"))
        try await self.checkNewToken(site, tokens)
        #expect(!FileManager.default.fileExists(atPath: "\(work)/alice.rec.new"))
        try await self.refusals(site, work)
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    /// The user's token has key and certificate, says a tool that is not ours.
    private func checkNewToken(_ site: Site, _ tokens: Tokens) async throws {
        guard tokens == .nss else {
            let objects = try await site.objects(on: "new")
            #expect(objects.contains("Private Key Object") && objects.contains("Certificate Object"))
            return
        }
        let database = site.nssDatabase("new")
        let keys = try await succeed(["certutil", "-K", "-d", database, "-f", site.path("pin-user")]).text
        #expect(keys.contains("< 0> rsa ") && keys.hasSuffix("alice\n"), "\(keys)")
        let certificate = try await succeed(["certutil", "-L", "-d", database, "-n", "alice", "-a"]).text
        let wanted = try await succeed(["openssl", "x509", "-in", site.path("alice.crt"), "-noout", "-fingerprint"])
        let found = try await succeed(["openssl", "x509", "-noout", "-fingerprint"], input: Array(certificate.utf8))
        #expect(found.text == wanted.text)
    }

    /// A certificate of this CA whose key is in a PKCS #12 and not in the archive.
    private func makeImported(_ site: Site, _ work: String) async throws {
        try await site.operate(
            "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer", "--out",
            site.path("bob.crt"), try await self.serverRequest(site))
        try site.secret("old password\n", to: "old.password")
        try FileManager.default.copyItem(atPath: site.path("old.password"), toPath: "\(work)/old.password")
        try await succeed([
            "openssl", "pkcs12", "-export", "-in", site.path("bob.crt"), "-inkey", site.path("server.key"), "-out",
            "\(work)/imported.p12", "-passout", "file:\(site.path("old.password"))",
        ])
    }

    private func serverRequest(_ site: Site) async throws -> String {
        try await succeed([
            "openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", site.path("server.key"), "-out",
            site.path("server.req"), "-subj", "/CN=server.example.test", "-addext",
            "subjectAltName=DNS:server.example.test",
        ])
        return site.path("server.req")
    }

    /// What cannot be read, and why.
    private func refusals(_ site: Site, _ work: String) async throws {
        try site.directory.write("work/outlook.epf", Array("[Password Token]\nProtection=40\n".utf8))
        try site.directory.write("work/kms.exp", [0x00, 0x01, 0x02, 0x03])
        for name in ["outlook.epf", "kms.exp"] {
            let refused = try await site.signet(
                "key", "verify", "--old-password", "file:\(work)/old.password", "\(work)/\(name)")
            #expect(refused.status == 1 && refused.stderr.contains("0x8007000d"), "\(refused.stderr)")
            #expect(refused.stderr.contains("unpublished"))
        }
    }
}
