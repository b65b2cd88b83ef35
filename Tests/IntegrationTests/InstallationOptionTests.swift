import Foundation
import TestSupport
import Testing

/// What `install-ca.txt` (tables 16.5 to 16.8) lets an administrator choose.
@Suite("Options of a new CA")
struct InstallationOptionTests {
    private func initialise(_ site: Site, _ token: String, _ options: String...) async throws -> ToolResult {
        try await site.signet(
            [
                "init", "root", site.path("root"), "--name", "Test Root CA", "--subject", "CN=Test Root CA,O=Test",
                "--token-file", token, "--publication-url", "http://localhost:1",
            ] + options)
    }

    @Test(
        "The chosen hash is in everything that the CA signs, with whatever key",
        arguments: [("p-256", "sha-384", "ecdsa-with-SHA384"), ("rsa-2048", "sha-512", "sha512WithRSAEncryption")])
    func hashAlgorithm(key: String, hash: String, name: String) async throws {
        let site = try Site.empty()
        let made = try await self.initialise(
            site, site.makeToken("root"), "--key-algorithm", key, "--hash-algorithm", hash)
        #expect(made.status == 0, "\(made.stderr)")
        let root = site.path("root")
        try await site.operate("crl", "publish", "--instance", root)
        try await site.operate(
            "request", "submit", "--instance", root, "--template", "WebServer", "--out", site.path("www.crt"),
            site.makeRequest("www"))
        try await site.operate("ca", "renew", "--instance", root, "--new-key")
        for file in ["Test Root CA.crt", "Test Root CA(1).crt", "Test Root CA(0-1).crt", "Test Root CA(1-0).crt"] {
            #expect(try await site.text(ofCertificate: "root/publish/\(file)").contains(name), "\(file)")
        }
        #expect(try await site.text(ofCertificate: "www.crt", inform: "PEM").contains(name))
        let list = try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("root/publish/Test Root CA.crl"), "-noout", "-text",
        ]).text
        #expect(list.contains(name))
        let anchor = try await site.pem(["root/publish/Test Root CA.crt"], "anchor")
        try await succeed(["openssl", "verify", "-CAfile", anchor, site.path("www.crt")])
    }

    @Test(
        "A hash that can be forged, no time and a period without a unit are refused, and nothing is made",
        arguments: [["--hash-algorithm", "sha-1"], ["--validity", "0 years"], ["--validity", "20"]])
    func refused(options: [String]) async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("root")
        let before = try await site.objects(on: "root")
        let result = try await self.initialise(site, token, "--key-algorithm", "p-256", options[0], options[1])
        #expect(result.status == 64)
        #expect(try await site.objects(on: "root") == before)
        #expect(!FileManager.default.fileExists(atPath: site.path("root")))
    }

    @Test("A key longer than the kind of token makes is refused by its name, and nothing is made")
    func keyLength() async throws {
        let site = try Site.empty()
        let card = try await site.makeCard("root", profile: "generic-8k-smartcard")
        let before = try await site.objects(on: "root")
        let refused = try await self.initialise(site, card, "--key-algorithm", "rsa-8192")
        #expect(refused.status == 1)
        #expect(refused.stderr.contains("rsa-8192"), "\(refused.stderr)")
        #expect(try await site.objects(on: "root") == before)
        #expect(!FileManager.default.fileExists(atPath: site.path("root")))
    }

    @Test("Validity, description and the stand-alone kind are as they were chosen")
    func choices() async throws {
        let site = try Site.empty()
        let made = try await self.initialise(
            site, site.makeToken("root"), "--key-algorithm", "p-256", "--validity", "6 weeks", "--description",
            "Run by \"Test\"", "--stand-alone")
        #expect(made.status == 0 && made.text.contains("Expires on: "), "\(made.stderr)")
        let root = site.path("root")
        let certificate = try await site.pem(["root/publish/Test Root CA.crt"], "root-pem")
        try await succeed(["openssl", "x509", "-in", certificate, "-checkend", "\(41 * 86_400)"])
        #expect(try await run(["openssl", "x509", "-in", certificate, "-checkend", "\(43 * 86_400)"]).status == 1)
        #expect(try await site.operate("ca", "show", "--instance", root).text.contains("Description: Run by \"Test\""))
        // No template is needed, and the request waits.
        let submitted = try await site.operate(
            "request", "submit", "--instance", root, site.makeRequest("www"))
        #expect(submitted.text.contains("pending"))
    }

    @Test("A database elsewhere is found, and goes on with the CA whose instance was lost; no other CA gets it")
    func database() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("root")
        let database = site.path("elsewhere.sqlite")
        #expect(
            try await self.initialise(site, token, "--key-algorithm", "p-256", "--database", database).status == 0)
        let root = site.path("root")
        try await site.operate(
            "request", "submit", "--instance", root, "--template", "WebServer", "--out", site.path("www.crt"),
            site.makeRequest("www"))
        #expect(!FileManager.default.fileExists(atPath: site.path("root/signet.sqlite")))
        // It is nobody else's.
        let again = try await site.signet(
            "init", "root", site.path("other"), "--name", "Other", "--subject", "CN=Other", "--token-file", token,
            "--publication-url", "http://localhost:1", "--key-algorithm", "p-256", "--database", database)
        #expect(again.status == 1 && again.stderr.contains("0x80070050"), "\(again.stderr)")

        // The instance is lost; key, certificate and database are not.
        let certificate = try await site.pem(["root/publish/Test Root CA.crt"], "saved")
        try FileManager.default.removeItem(atPath: root)
        let keys = try await site.operate("ca", "keys", "--token-file", token).text
        let uri = try #require(keys.split(separator: "\n").first.map(String.init))
        let stranger = try await site.makeRootCertificate("stranger", key: "stranger")
        let before = try await self.content(ofDatabase: database)
        let wrong = try await self.initialise(
            site, token, "--existing-key", uri, "--certificate", stranger, "--database", database,
            "--preserve-database")
        #expect(wrong.status == 1, "\(wrong.text)")
        #expect(wrong.stderr.contains("is not that of this key and certificate"), "\(wrong.stderr)")
        #expect(wrong.stderr.contains("0x80094005"))
        #expect(try await self.content(ofDatabase: database) == before)
        let restored = try await self.initialise(
            site, token, "--existing-key", uri, "--certificate", certificate, "--database", database,
            "--preserve-database")
        #expect(restored.status == 0, "\(restored.stderr)")
        let serial = try await site.serial(of: "www.crt")
        try await site.operate("certificate", "revoke", "--instance", root, "--reason", "superseded", serial)
        try await site.operate("crl", "publish", "--instance", root)
        try await site.operate("audit", "verify", "--instance", root)
    }

    @Test("One instance works with a database: another one is refused, and the first as soon as it was taken over")
    func owner() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("root")
        let database = site.path("elsewhere.sqlite")
        #expect(
            try await self.initialise(site, token, "--key-algorithm", "p-256", "--database", database).status == 0)
        let root = site.path("root")
        let other = site.path("other")
        try FileManager.default.copyItem(atPath: root, toPath: other)
        try FileManager.default.removeItem(atPath: other + "/instance-id")
        let before = try await self.content(ofDatabase: database)
        for command in [["ca", "show"], ["crl", "publish"], ["audit", "verify"]] {
            let refused = try await site.signet(command + ["--instance", other])
            #expect(refused.status == 1 && refused.stderr.contains("belongs to another instance"), "\(refused.stderr)")
            #expect(refused.stderr.contains("0x800700b7"))
        }
        #expect(try await self.content(ofDatabase: database) == before)
        // The instance itself may move, and with a database inside be restored without its identifier.
        try FileManager.default.removeItem(atPath: other)
        try FileManager.default.moveItem(atPath: root, toPath: site.path("moved"))
        try await site.operate("crl", "publish", "--instance", site.path("moved"))

        let certificate = try await site.pem(["moved/publish/Test Root CA.crt"], "saved")
        let keys = try await site.operate("ca", "keys", "--token-file", token).text
        let uri = try #require(keys.split(separator: "\n").first.map(String.init))
        let taken = try await self.initialise(
            site, token, "--existing-key", uri, "--certificate", certificate, "--database", database,
            "--preserve-database")
        #expect(taken.status == 0, "\(taken.stderr)")
        let former = try await site.signet(["crl", "publish", "--instance", site.path("moved")])
        #expect(former.status == 1 && former.stderr.contains("belongs to another instance"), "\(former.stderr)")
        try await site.operate("crl", "publish", "--instance", root)
        let trail = try await site.operate("audit", "show", "--instance", root).text
        #expect(trail.contains("instance-id"))
        try await site.operate("audit", "verify", "--instance", root)
    }

    private func content(ofDatabase path: String) async throws -> String {
        let program = "import sqlite3, sys; print('\\n'.join(sqlite3.connect(sys.argv[1]).iterdump()))"
        return try await succeed(["python3", "-c", program, path]).text
    }

    @Test("An existing key is taken with the certificate that lies beside it on the token")
    func tokenCertificate() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("root")
        #expect(try await self.initialise(site, token, "--key-algorithm", "p-256").status == 0)
        let published = try site.directory.read("root/publish/Test Root CA.crt")
        try FileManager.default.removeItem(atPath: site.path("root"))
        let keys = try await site.operate("ca", "keys", "--token-file", token).text
        let uri = try #require(keys.split(separator: "\n").first.map(String.init))
        let none = try await self.initialise(site, token, "--existing-key", uri, "--use-token-certificate")
        #expect(none.status == 1 && none.stderr.contains("--certificate"), "\(none.stderr)")
        #expect(!FileManager.default.fileExists(atPath: site.path("root")))
        let id = try #require(uri.firstMatch(of: /id=([^;?]+)/)?.1.replacing("%", with: ""))
        try site.directory.write("published.der", published)
        try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", "root", "--login", "--pin", "12345678",
                "--write-object", site.path("published.der"), "--type", "cert", "--id", String(id),
            ], environment: ["SOFTHSM2_CONF": site.path("root.conf")])
        #expect(try await site.operate("ca", "keys", "--token-file", token).text.contains("Certificate: "))
        let taken = try await self.initialise(site, token, "--existing-key", uri, "--use-token-certificate")
        #expect(taken.status == 0, "\(taken.stderr)")
        #expect(try site.directory.read("root/publish/Test Root CA.crt") == published)
        try await site.operate("crl", "publish", "--instance", site.path("root"))
    }
}

extension Site {
    /// A self-signed certificate of somebody else.
    fileprivate func makeRootCertificate(_ name: String, key: String) async throws -> String {
        try await succeed([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            self.path("\(key).key"), "-out", self.path("\(name).crt"), "-subj", "/CN=\(name)",
        ])
        return self.path("\(name).crt")
    }
}
