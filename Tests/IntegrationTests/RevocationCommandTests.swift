import Foundation
import TestSupport
import Testing

@Suite("Revocation on the command line")
struct RevocationCommandTests {
    /// A root CA with delta CRLs and the requests and certificates that the manual speaks of.
    private func site(_ settings: String = "") async throws -> Site {
        let site = try Site.empty()
        let token = try await site.makeToken("issuing")
        try await site.operate(
            "init", "root", site.path("issuing"), "--name", "Test CA", "--subject", "CN=Test CA,O=Test",
            "--token-file", token, "--key-algorithm", "p-256", "--publication-url", "http://localhost:1")
        try self.configure(site, "crl:", "crl:\n  delta-period-hours: 24\n\(settings)")
        let request = try await site.makeRequest("www")
        try await site.operate(
            "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer", "--out",
            site.path("www.crt"), request)
        return site
    }

    private func configure(_ site: Site, _ old: String, _ new: String) throws {
        let path = site.path("issuing/signet.yaml")
        let text = try String(contentsOfFile: path, encoding: .utf8).replacing(old, with: new)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// A program for hooks.
    private func program(_ site: Site, _ name: String, _ script: String) throws -> String {
        let path = try site.directory.write(name, Array("#!/bin/sh\n\(script)\n".utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    @Test("Every command of docs/revocation.md runs as written")
    func manual() async throws {
        let site = try await self.site()
        for name in ["lost", "successor"] { _ = try await site.makeRequest(name) }
        // The successor of a lost key is for the same name.
        try await succeed([
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            site.path("successor.key"), "-out", site.path("successor.req"), "-subj", "/CN=lost.example.test",
            "-addext", "subjectAltName=DNS:lost.example.test",
        ])
        let script = try Programs.script(ofDocument: "revocation.md")
        #expect(script.contains("signet certificate revoke"))
        let output = try await succeed(
            ["bash", "-c", "set -e; cd '\(site.directory.path)'\n" + script],
            environment: ["PATH": Programs.searchPath]
        ).text
        #expect(output.contains(/crlNumber=(0x)?0*3\n/) && output.contains("Case 1: revoked"))
        #expect(output.contains("State: replaced") && output.contains("\"level\" : 0"))
        let text = try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("newest.crl"), "-noout", "-text",
        ]).text
        #expect(text.contains("Key Compromise") && text.contains("Invalidity Date"))
    }

    @Test("Lists go to directories and to a program; a place that fails is told and keeps nobody back")
    func places() async throws {
        let site = try await self.site("  publish-to: [out]\n  hook: {program: ../hook, deadline-seconds: 120}\n")
        _ = try self.program(site, "hook", "cp \"$1\" '\(site.path("hooked"))-'\"$SIGNET_CRL_NAME\"")
        let failed = try await site.signet("crl", "publish", "--instance", site.path("issuing"))
        #expect(failed.status == 1 && failed.stderr.contains("issuing/out/"), "\(failed.stderr)")
        let published = try site.directory.read("issuing/publish/Test CA.crl")
        #expect(try site.directory.read("hooked-Test CA.crl") == published)
        #expect(try site.directory.read("hooked-Test CA+.crl") == site.directory.read("issuing/publish/Test CA+.crl"))
        let trail = try await site.operate("audit", "show", "--instance", site.path("issuing"), "--limit", "1000").text
        #expect(trail.contains(" 10020 "))

        try FileManager.default.createDirectory(
            atPath: site.path("issuing/out"), withIntermediateDirectories: false)
        try await site.operate("crl", "publish", "--instance", site.path("issuing"))
        #expect(try site.directory.read("issuing/out/Test CA.crl") == site.directory.read("hooked-Test CA.crl"))

        // What this process has in its environment may be a PIN.
        _ = try self.program(site, "hook", "env >'\(site.path("environment"))'")
        try await site.operate("crl", "publish", "--instance", site.path("issuing"))
        let environment = String(decoding: try site.directory.read("environment"), as: UTF8.self)
        let names = Set(
            environment.split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) })
        let own = ["NAME", "NUMBER", "KIND", "KEY", "SHARD"].map { "SIGNET_CRL_" + $0 }
        // The shell adds PWD, and some shells these others.
        #expect(names.subtracting(["PWD", "OLDPWD", "SHLVL", "_"]) == Set(own + ["PATH", "LANG"]))

        _ = try self.program(site, "hook", "echo no room >&2; exit 3")
        let refused = try await site.signet("crl", "publish", "--delta", "--instance", site.path("issuing"))
        #expect(refused.status == 1 && refused.stderr.contains("it ended with code 3: no room"))
        #expect(try site.directory.read("issuing/out/Test CA+.crl") != published)
    }

    @Test(
        "A list too large for the database is published, shown and exported as any other, and the file of an old one goes"
    )
    func large() async throws {
        let site = try await self.site()
        let issuing = site.path("issuing")
        // As many revocations as 27,000 revoked certificates leave; openssl has to read them all.
        let program = """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1])
            db.executemany(
                'INSERT INTO revocation VALUES (0, 0, ?, 1, 1700000000000, NULL, 4000000000000, 1)',
                [((1 << 78 | n).to_bytes(10, 'big'),) for n in range(27000)])
            db.commit()
            """
        try await succeed(["python3", "-c", program, site.path("issuing/signet.sqlite")])
        try await site.operate("crl", "publish", "--instance", issuing)
        let shown = try await site.operate("crl", "show", "--instance", issuing, "--out", site.path("large.crl")).text
        #expect(shown.contains("Entries: 27000") && shown.contains("File: 1-base.crl"), "\(shown)")
        let exported = try site.directory.read("large.crl")
        #expect(exported.count > 1 << 20)
        #expect(exported == (try site.directory.read("issuing/publish/Test CA.crl")))
        let ca = try await site.pem(["issuing/publish/Test CA.crt"], "ca")
        let list = try await run([
            "openssl", "crl", "-inform", "DER", "-in", site.path("large.crl"), "-noout", "-text", "-verify", "-CAfile",
            ca,
        ])
        #expect(list.stderr.contains("verify OK"))
        #expect(list.text.components(separatedBy: "Serial Number:").count == 27001)
        try await site.operate("crl", "publish", "--instance", issuing)
        let kept = try FileManager.default.contentsOfDirectory(atPath: site.path("issuing/crl")).sorted()
        #expect(kept == ["2-base.crl", "2-delta.crl"])
        let table = try await site.operate("crl", "list", "--instance", issuing).text
        #expect(table.components(separatedBy: "27000").count == 5)
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test("The exit code of expiring is for monitoring, and a new key and request are made of the old certificate")
    func expiring() async throws {
        let site = try await self.site()
        let missing = try await site.signet("expiring", "--within", "1d", "--instance", site.path("issuing"))
        #expect(missing.status == 2 && missing.text.contains("there is none"))
        try await site.operate("crl", "publish", "--instance", site.path("issuing"))
        let quiet = try await site.signet("expiring", "--within", "1d", "--instance", site.path("issuing"))
        #expect(quiet.status == 0)
        let warned = try await site.signet(
            "expiring", "--within", "3000d", "--json", "--instance", site.path("issuing"))
        #expect(warned.status == 1 && warned.text.contains("\"kind\" : \"certificate\""), "\(warned.text)")
        let serial = try await succeed(["openssl", "x509", "-in", site.path("www.crt"), "-noout", "-serial"]).text
            .dropFirst("serial=".count).trimmingCharacters(in: .whitespacesAndNewlines)
        try await site.operate(
            "certificate", "replace", serial, "--new", "--key-out", site.path("new.key"), "--key-password",
            "file:\(site.path("pin-user"))", "--out", site.path("new.crt"), "--instance", site.path("issuing"))
        let key = try await succeed([
            "openssl", "pkey", "-in", site.path("new.key"), "-passin", "file:\(site.path("pin-user"))", "-pubout",
        ]).text
        let certified = try await succeed(["openssl", "x509", "-in", site.path("new.crt"), "-noout", "-pubkey"]).text
        #expect(key == certified)
    }
}
