import Foundation
import TestSupport
import Testing

@Suite("A requester's own key and certificate, on the command line")
struct RequesterTests {
    @Test(
        "A key in a PKCS #12 waits, and takes only its own certificate with a trusted chain; openssl and Python read it"
    )
    func pkcs12() async throws {
        let site = try await Site.issuing()
        let file = site.path("own.p12")
        try site.secret("own password", to: "password")
        try await self.make(site, "own", ["--pkcs12", file, "--pkcs12-password", "file:\(site.path("password"))"])
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        let waiting = try site.directory.read("own.p12")
        let info = try await succeed([
            "openssl", "pkcs12", "-in", file, "-passin", "pass:own password", "-info", "-noout",
        ])
        #expect(info.stderr.contains("AES-256-CBC") && info.stderr.contains("PBKDF2"))
        #expect(!info.stderr.contains("Certificate bag"))
        try await succeed(["openssl", "req", "-in", site.path("own.req"), "-noout", "-verify"])
        // Never overwritten, neither the file nor the request.
        for pair in [("own.p12", "other.req"), ("other.p12", "own.req")] {
            let again = try await self.new(
                site, pair.1,
                ["--pkcs12", site.path(pair.0), "--pkcs12-password", "file:\(site.path("password"))"])
            #expect(again.status == 1)
            #expect(again.stderr.contains("0x80070050"))
        }
        #expect(!FileManager.default.fileExists(atPath: site.path("other.p12")))

        try await self.submit(site, "own")
        try await site.issue("foreign")
        let accept = { (certificate: String, trusted: String) in
            try await site.signet(
                "request", "accept", "--pkcs12", file, "--pkcs12-password", "file:\(site.path("password"))",
                "--ca-certificates", site.path(trusted), site.path(certificate))
        }
        // Another key's certificate; a root that has signed nothing of it.
        let foreign = try await accept("foreign.crt", "chain.pem")
        #expect(foreign.status == 1 && foreign.stderr.contains("0x80100030"))
        try await succeed([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            site.path("stranger.key"), "-out", site.path("stranger.pem"), "-subj", "/CN=Stranger",
        ])
        let stranger = try await accept("own.crt", "stranger.pem")
        #expect(stranger.status == 1 && stranger.stderr.contains("0x800b010a"), "\(stranger.stderr)")
        #expect(try site.directory.read("own.p12") == waiting)

        #expect(try await accept("own.crt", "chain.pem").status == 0)
        let pem = try await succeed(["openssl", "pkcs12", "-in", file, "-passin", "pass:own password", "-nodes"]).text
        #expect(pem.components(separatedBy: "BEGIN CERTIFICATE").count == 4)
        try site.directory.write("own.pem", Array(pem.utf8))
        let keys = try await [
            ["openssl", "pkey", "-in", site.path("own.pem"), "-pubout"],
            ["openssl", "x509", "-in", site.path("own.crt"), "-noout", "-pubkey"],
        ].asyncMap { try await succeed($0).text }
        #expect(keys[0] == keys[1])
        let judge = try await succeed([
            "python3", "-W", "ignore", "-c",
            """
            import sys
            from cryptography.hazmat.primitives.serialization import pkcs12
            k, c, chain = pkcs12.load_key_and_certificates(open(sys.argv[1], 'rb').read(), b'own password')
            assert k.public_key() == c.public_key() and len(chain) == 2
            print(c.subject.rfc4514_string())
            """, file,
        ])
        #expect(judge.text == "CN=own.example.test\n")
        // The same once more changes nothing; another certificate does not take its place.
        let complete = try site.directory.read("own.p12")
        #expect(try await accept("own.crt", "chain.pem").status == 0)
        try await site.operate(
            "request", "new", "--renew", file, "--renew-password", "file:\(site.path("password"))", "--same-key",
            "--out",
            site.path("own-2.req"))
        try await self.submit(site, "own-2")
        let second = try await accept("own-2.crt", "chain.pem")
        #expect(second.status == 1 && second.stderr.contains("0x800700b7"), "\(second.stderr)")
        #expect(try site.directory.read("own.p12") == complete)
    }

    @Test("A card that is too small is refused with 0x80100028 before anything is written")
    func fullCard() async throws {
        let site = try Site.empty()
        let card = try await site.makeCard("card", profile: "generic-8k-smartcard")
        let before = try await site.objects(on: "card")
        let refused = try await self.new(
            site, "big.req", ["--token-file", card, "--key-algorithm", "rsa-4096"])
        #expect(refused.status == 1)
        #expect(refused.stderr.contains("0x80100028 SCARD_E_WRITE_TOO_MANY"))
        #expect(try await site.objects(on: "card") == before)
        #expect(!FileManager.default.fileExists(atPath: site.path("big.req")))
    }

    @Test("A request that cannot be written leaves no key on the token; one that is given up leaves none either")
    func nothingLeft() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("own")
        let before = try await site.objects(on: "own")
        let key = ["--token-file", token, "--key-algorithm", "p-256"]
        #expect(try await self.new(site, "missing/own.req", key).status == 1)
        #expect(try await site.objects(on: "own") == before)
        // A key on a token cannot be archived, and is not made for it.
        for arguments in [["--form", "pkcs7"], ["--archive"]] {
            #expect(try await self.new(site, "form.req", key + arguments).status != 0)
            #expect(try await site.objects(on: "own") == before)
        }
        try await self.make(site, "own", key)
        #expect(try await site.objects(on: "own").contains("Private Key Object"))
        try await site.operate("request", "abandon", "--token-file", token, site.path("own.req"))
        #expect(try await site.objects(on: "own") == before)
        let again = try await site.signet("request", "abandon", "--token-file", token, site.path("own.req"))
        #expect(again.status == 1 && again.stderr.contains("0x80100030"))
    }

    @Test(
        "Over the enrolment service: issued, pending and later retrieved, denied with its code, and the archival's echo"
    )
    func service() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        _ = try await site.makeAgent()
        let service = try await RunningService(site, port: port)
        try site.secret("own password", to: "password")
        let own = ["--pkcs12", site.path("own.p12"), "--pkcs12-password", "file:\(site.path("password"))"]
        let at = self.service(site, port)
        try await self.make(site, "own", own)
        let issued = try await site.signet(
            ["request", "submit"] + at + ["--out", site.path("own.crt"), site.path("own.req")])
        #expect(issued.status == 0, "\(issued.stderr)")
        let number = try #require(issued.text.firstMatch(of: /RequestId: (\d+)/)?.output.1)
        // The chain comes from the service, the trust does not.
        try await succeed(
            [
                Programs.signet, "request", "accept", "--request", String(number), "--ca-certificates",
                site.path("chain.pem"),
            ] + at + own)
        let pem = try await succeed([
            "openssl", "pkcs12", "-in", site.path("own.p12"), "-passin", "pass:own password", "-nokeys",
        ]).text
        #expect(pem.components(separatedBy: "BEGIN CERTIFICATE").count == 4)

        // Pending, then issued.
        let request = try await site.makeRequest("agent-2")
        let pending = try await site.signet(["request", "submit", "--template", "KeyRecoveryAgent"] + at + [request])
        #expect(pending.status == 1 || pending.text.contains("pending"))
        try await succeed([
            "openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", site.path("kra.key"), "-out",
            site.path("kra.req"), "-subj", "/CN=Agent 2",
        ])
        let waiting = try await site.signet(
            ["request", "submit", "--template", "KeyRecoveryAgent"] + at + [site.path("kra.req")])
        #expect(waiting.text.contains("Certificate request is pending: Taken Under Submission"))
        let waits = String(try #require(waiting.text.firstMatch(of: /RequestId: (\d+)/)?.output.1))
        #expect(try await site.signet(["request", "retrieve"] + at + [waits]).text.contains("is pending"))
        try await site.operate("request", "approve", "--instance", site.path("issuing"), waits)
        try await succeed([Programs.signet, "request", "retrieve", "--out", site.path("kra.crt")] + at + [waits])
        try await succeed(["openssl", "verify", "-CAfile", site.path("chain.pem"), site.path("kra.crt")])

        let denied = try await site.signet(["request", "submit", "--template", "NoSuch"] + at + [request])
        #expect(denied.status == 1)
        #expect(denied.stderr.contains("Denied by Policy Module") && denied.stderr.contains("0x80094800"))

        try await site.makeArchivalRequest("alice", format: "token-wrapped")
        let archived = try await site.signet(
            ["request", "submit", "--response-out", site.path("alice.rsp")] + at + [site.path("alice.cmc")])
        #expect(archived.status == 0, "\(archived.stderr)")
        try await succeed(["openssl", "cms", "-inform", "DER", "-in", site.path("alice.rsp"), "-cmsout", "-print"])

        try await self.refusals(site, port, request)
        #expect(try await service.stop() == 0)
    }

    /// What a requester must not be led into.
    private func refusals(_ site: Site, _ port: Int, _ request: String) async throws {
        try site.secret("wrong", to: "wrong")
        let submit = { (arguments: [String]) in
            try await site.signet(["request", "submit", "--template", "WebServer"] + arguments + [request])
        }
        let wrong = try await submit([
            "--url", "https://localhost:\(port)/certsrv", "--tls-trust", site.path("chain.pem"), "--user", "alice",
            "--password", "file:\(site.path("wrong"))",
        ])
        #expect(wrong.status == 1 && wrong.stderr.contains("HTTP status 401"))
        // A root that is not trusted, and a name that the certificate does not have.
        let alice = ["--user", "alice", "--password", "file:\(site.path("alice"))"]
        let untrusted = try await submit(["--url", "https://localhost:\(port)/certsrv"] + alice)
        #expect(untrusted.status == 1 && untrusted.stderr.contains("Nothing was sent"))
        let misnamed = try await submit(
            ["--url", "https://127.0.0.1:\(port)/certsrv", "--tls-trust", site.path("chain.pem")] + alice)
        #expect(misnamed.status == 1 && misnamed.stderr.contains("IP address mismatch"))
        // A password never goes over the network in the clear.
        let clear = try await submit(["--url", "http://ca.example.test/certsrv"] + alice)
        #expect(clear.status == 1 && clear.stderr.contains("a password goes over https:// only"))
    }

    private func service(_ site: Site, _ port: Int) -> [String] {
        [
            "--url", "https://localhost:\(port)/certsrv", "--tls-trust", site.path("chain.pem"), "--user", "alice",
            "--password", "file:\(site.path("alice"))",
        ]
    }

    private func new(_ site: Site, _ out: String, _ arguments: [String]) async throws -> ToolResult {
        let name = out.split(separator: ".")[0]
        return try await site.signet(
            [
                "request", "new", "--template", "WebServer", "--subject", "CN=\(name).example.test", "--san",
                "dns:\(name).example.test", "--out", site.path(out),
            ] + arguments)
    }

    private func make(_ site: Site, _ name: String, _ arguments: [String]) async throws {
        let made = try await self.new(site, "\(name).req", arguments)
        #expect(made.status == 0, "\(made.stderr)")
    }

    private func submit(_ site: Site, _ name: String) async throws {
        try await site.operate(
            "request", "submit", "--instance", site.path("issuing"), "--out", site.path("\(name).crt"),
            site.path("\(name).req"))
    }
}
