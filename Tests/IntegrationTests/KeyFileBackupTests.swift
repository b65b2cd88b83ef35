import Foundation
import TestSupport
import Testing

@Suite("Imported keys that are extractable, and the PKCS #12 of them")
struct KeyFileBackupTests {
    private static let host = ProcessInfo.processInfo.hostName

    private static func password(_ site: Site) -> String { "file:\(site.path("pin-user"))" }

    private static func backUp(_ site: Site, _ file: String, _ options: String...) async throws -> ToolResult {
        try await site.signet(
            ["backup", "keys", "--instance", site.path("ca"), "--pkcs12", file, "--password", password(site)] + options)
    }

    /// DER of the one private key in a PEM or PKCS #12 file, as openssl reads it.
    private static func privateKey(_ file: String) async throws -> [UInt8] {
        guard file.hasSuffix(".p12") else {
            return try await succeed(["openssl", "pkey", "-in", file, "-outform", "DER"]).stdout
        }
        let opened = try await succeed([
            "openssl", "pkcs12", "-in", file, "-passin", "pass:12345678", "-nodes", "-nocerts",
        ]).stdout
        return try await succeed(["openssl", "pkey", "-outform", "DER"], input: opened).stdout
    }

    private static func events(_ site: Site, _ number: Int) async throws -> Int {
        let trail = try await site.operate("audit", "show", "--instance", site.path("ca"), "--limit", "1000").text
        return trail.components(separatedBy: " \(number) ").count - 1
    }

    @Test(
        "openssl opens the file and finds the old key, a new token takes it as the same CA, and forbidding extraction ends it",
        arguments: [("rsa-2048", false), ("rsa-2048", true), ("p-384", true)])
    func lifetime(algorithm: String, onNSS: Bool) async throws {
        let site = try Site.empty()
        let token = onNSS ? try await site.makeNSSToken("ca") : try await site.makeToken("ca")
        try await site.makeOldCA(algorithm)
        let imported = try await site.importCA(token, ["--extractable"])
        #expect(imported.status == 0, "\(imported.stderr)")
        #expect(imported.stderr.contains("warning: The key stays extractable: whoever has the PIN of its token can"))
        let trail = try await site.operate("audit", "show", "--instance", site.path("ca")).text
        #expect(
            trail.contains("CKA_EXTRACTABLE=true") && trail.contains("Warning=The key stays extractable"), "\(trail)")

        let file = site.path("keys.p12")
        let written = try await Self.backUp(site, file)
        #expect(written.status == 0, "\(written.stderr)")
        #expect(written.text == "CA key 0: in \(file)\n")
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        let form = try await succeed([
            "openssl", "pkcs12", "-in", file, "-passin", "pass:12345678", "-info", "-noout",
        ]).stderr
        #expect(form.contains("AES-256-CBC") && form.contains("MAC: sha256"), "\(form)")
        #expect(try await Self.privateKey(file) == Self.privateKey(site.path("old.key")))

        let first = try Data(contentsOf: URL(fileURLWithPath: file))
        let again = try await Self.backUp(site, file)
        #expect(again.status == 1 && again.stderr.contains("0x80070050"), "\(again.stderr)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == first)
        #expect(try await Self.backUp(site, file, "--force").status == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) != first)
        #expect(try await Self.events(site, 10_014) == 2)

        let spare = try await site.makeToken("spare")
        let anew = try await site.importCA(spare, file: "keys", password: "pin-user", directory: "again")
        #expect(anew.status == 0, "\(anew.stderr)")
        try await self.publish(site, "again")
        try await self.forbid(site, file)
    }

    /// Ends extractability: the key still signs, and no file of it is made.
    private func forbid(_ site: Site, _ file: String) async throws {
        let unconfirmed = try await site.signet("ca", "forbid-extraction", "--instance", site.path("ca"))
        #expect(unconfirmed.status == 3 && unconfirmed.text.hasSuffix("Nothing was changed.\n"))
        #expect(try await Self.events(site, 10_015) == 0)
        let ended = try await site.operate("ca", "forbid-extraction", "--instance", site.path("ca"), "--confirm")
        #expect(ended.text.contains("Not extractable any more: pkcs11:"))
        let again = try await site.operate("ca", "forbid-extraction", "--instance", site.path("ca"), "--confirm")
        #expect(again.text == "No key is extractable.\n")
        #expect(try await Self.events(site, 10_015) == 1)
        let before = try Data(contentsOf: URL(fileURLWithPath: file))
        let refused = try await Self.backUp(site, file, "--force")
        #expect(refused.status == 1 && refused.stderr.contains("0x8009000b"), "\(refused.stderr)")
        #expect(refused.stderr.contains("The key of the CA may not leave its token, and is never in a file."))
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
        #expect(try await Self.events(site, 10_014) == 2)
        try await self.publish(site, "ca")
        try await site.operate("audit", "verify", "--instance", site.path("ca"))
    }

    private func publish(_ site: Site, _ instance: String) async throws {
        try await site.operate("crl", "publish", "--instance", site.path(instance))
        try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("\(instance)/publish/Old CA.crl"), "-CAfile",
            site.path("old.crt"), "-noout", "-verify",
        ])
    }

    @Test(
        "A CA whose token is lost goes on with the key of the file on another token, and what it issued before is known"
    )
    func lostToken() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA("p-256")
        #expect(try await site.importCA(token, ["--extractable"], directory: "issuing").status == 0)
        let serial = try await site.certify("before")
        try await site.operate(
            "backup", "keys", "--instance", site.path("issuing"), "--pkcs12", site.path("keys.p12"), "--password",
            Self.password(site))
        try await site.backUp(to: "full")
        for path in ["issuing", "tokens-ca"] { try FileManager.default.removeItem(atPath: site.path(path)) }
        _ = try await site.makeToken("ca")
        try FileManager.default.copyItem(atPath: site.path("old.crt"), toPath: site.path("issuing.crt"))
        let restored = try await site.restore("full", to: "issuing", ["--authority-sha256", site.issuingSHA256()])
        #expect(
            restored.status == 2 && restored.text.contains("CA key 0: does not work, not offered"),
            "\(restored.text)\(restored.stderr)")
        let issuing = site.path("issuing")
        try await site.operate(
            "ca", "restore-keys", "--instance", issuing, site.path("keys.p12"), "--password", Self.password(site))
        // It was stopped because it was not there.
        let stopped = try await site.signet("crl", "publish", "--instance", issuing)
        #expect(stopped.status == 1 && stopped.stderr.contains("0x8009000b"), "\(stopped.stderr)")
        try await site.operate("ca", "release-key", "--instance", issuing)
        try await site.certify("after")
        try await site.operate("certificate", "revoke", "--instance", issuing, serial)
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test("A key that was not imported, or not as extractable, is in no file, whatever its token says of it")
    func refused() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA("p-256")
        func isRefused() async throws {
            let refused = try await Self.backUp(site, site.path("keys.p12"))
            #expect(refused.status == 1 && refused.stderr.contains("0x8009000b"), "\(refused.stderr)")
            #expect(refused.stderr.contains("the device's maker offers: a copy of its token directory"))
            #expect(!FileManager.default.fileExists(atPath: site.path("keys.p12")))
            #expect(try await Self.events(site, 10_014) == 0)
            try FileManager.default.removeItem(atPath: site.path("ca"))
        }
        #expect(try await site.importCA(token).status == 0)
        try await isRefused()
        // Extractable on its token, for a backup token.
        try await site.operate(
            "init", "root", site.path("ca"), "--name", "New CA", "--subject", "CN=New CA", "--token-file", token,
            "--publication-url", "http://localhost:1", "--key-algorithm", "p-256", "--copyable-key")
        #expect(
            try await site.objects(on: "ca").contains("Access:     sensitive, always sensitive, extractable, local"))
        try await isRefused()
        for (options, text) in [
            (["--extractable", "--key-algorithm", "p-256"], "--extractable needs --import-pkcs12"),
            (
                ["--copyable-key", "--import-pkcs12", site.path("old.p12")],
                "--copyable-key is for a key that is generated"
            ),
        ] {
            let wrong = try await site.signet(
                [
                    "init", "root", site.path("ca"), "--name", "X", "--subject", "CN=X", "--token-file", token,
                    "--publication-url", "http://localhost:1",
                ] + options)
            #expect(wrong.status == 64 && wrong.stderr.contains(text), "\(wrong.stderr)")
        }
    }

    @Test(
        "The next key is not extractable for the old one's sake, and is not in the file; the old one is when it is named"
    )
    func renewed() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA("p-256")
        #expect(try await site.importCA(token, ["--extractable"]).status == 0)
        try await site.operate("ca", "renew", "--instance", site.path("ca"), "--new-key")
        let listed = try await site.signet("ca", "forbid-extraction", "--instance", site.path("ca")).text
        #expect(listed.components(separatedBy: "Extractable: ").count == 2)
        let old = try #require(listed.firstMatch(of: /^Extractable: (pkcs11:.*)\n/)?.1)
        let file = site.path("keys.p12")
        let both = try await Self.backUp(site, file)
        #expect(both.status == 1 && both.stderr.contains("0x8009000b"), "\(both.stderr)")
        // Only the new one is in the way.
        #expect(both.stderr.components(separatedBy: "key: pkcs11:").count == 2 && !both.stderr.contains(old))
        #expect(!FileManager.default.fileExists(atPath: file))
        let absent = try await Self.backUp(site, file, "--key-index", "7")
        #expect(absent.status == 1 && absent.stderr.contains("0x80090016"), "\(absent.stderr)")
        #expect(absent.stderr.contains("The CA \"Old CA\" has no key 7."))
        #expect(try await Self.backUp(site, file, "--key-index", "0").text == "CA key 0: in \(file)\n")
        #expect(try await Self.privateKey(file) == Self.privateKey(site.path("old.key")))
        // With every certificate of the CA, the links between its keys excepted.
        let certificates = try await succeed([
            "openssl", "pkcs12", "-in", file, "-passin", "pass:12345678", "-nokeys",
        ]).text
        #expect(certificates.components(separatedBy: "BEGIN CERTIFICATE").count == 3)
    }

    @Test("A token that fails in the middle leaves no file, and one that was there as it was")
    func tokenFails() async throws {
        let site = try Site.empty()
        let card = try await site.makeCard("ca", profile: "softhsm2")
        try await site.makeOldCA("rsa-2048")
        #expect(try await site.importCA(card, ["--extractable"]).status == 0)
        let before = try await site.objects(on: "ca")
        let kept = try site.directory.write("kept.p12", Array("of before".utf8))
        for fault in [
            "{function: C_GenerateKey, call: 1, returns: CKR_DEVICE_ERROR}",
            "{function: C_WrapKey, call: 1, returns: CKR_DEVICE_ERROR}",
            "{function: C_WrapKey, call: 2, returns: CKR_KEY_UNEXTRACTABLE}",
            "{function: C_WrapKey, call: 2, effect: crash}",
        ] {
            try site.setFaults("  - \(fault)", on: "ca")
            for (file, options) in [(site.path("keys.p12"), []), (kept, ["--force"])] {
                let failed = try await site.signet(
                    [
                        "backup", "keys", "--instance", site.path("ca"), "--pkcs12", file, "--password",
                        Self.password(site),
                    ] + options)
                #expect(failed.status != 0, "\(fault)")
                if !fault.contains("crash") { #expect(failed.stderr.contains("CKR_"), "\(fault): \(failed.stderr)") }
            }
            try site.setFaults("", on: "ca")
            let names = try FileManager.default.contentsOfDirectory(atPath: site.directory.url.path)
            #expect(!names.contains { $0.hasPrefix("keys.p12") }, "\(fault)")
            #expect(try site.directory.read("kept.p12") == Array("of before".utf8))
            #expect(try await Self.events(site, 10_014) == 0)
        }
        #expect(try await site.objects(on: "ca") == before)
        // A token that says yes and does not do it.
        try site.setFaults("  - {function: C_SetAttributeValue, every: 1, returns: CKR_ATTRIBUTE_READ_ONLY}", on: "ca")
        let fixed = try await site.signet("ca", "forbid-extraction", "--instance", site.path("ca"), "--confirm")
        #expect(fixed.status == 1 && fixed.stderr.contains("CKR_ATTRIBUTE_READ_ONLY"), "\(fixed.stderr)")
        #expect(try await Self.events(site, 10_015) == 0)
        try site.setFaults("", on: "ca")
        #expect(try await Self.backUp(site, site.path("keys.p12")).status == 0)
    }

    @Test("A device that wraps no private keys takes no key as extractable")
    func neverWrapped() async throws {
        let site = try Site.empty()
        let card = try await site.makeCard(
            "ca", profile: "softhsm2", overrides: "profile-overrides: {mechanisms.rfc5649: unknown}")
        try await site.makeOldCA("p-256")
        let refused = try await site.importCA(card, ["--extractable"])
        #expect(refused.status == 1 && refused.stderr.contains("0x80070032"), "\(refused.stderr)")
        #expect(refused.stderr.contains("this device wraps no private key"))
        #expect(!FileManager.default.fileExists(atPath: site.path("ca")))
        #expect(try await !site.objects(on: "ca").contains("Private Key Object"))
    }

    @Test("certutil writes the file in both forms, and beside the database, with the lines of Windows")
    func certutil() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA("p-256")
        #expect(try await site.importCA(token, ["--extractable"], directory: "issuing").status == 0)
        func line(_ file: String) -> String {
            "Backed up keys and certificates for \(Self.host)\\Old CA to \(file).\n"
        }
        let directory = site.path("Backup2")
        let keys = try await site.certutil("-backupkey", "-p", Self.password(site), directory)
        #expect(
            keys.text == line("\(directory)/Old CA.p12") + "CertUtil: -backupKey command completed successfully.\n",
            "\(keys.stderr)")
        let refused = try await site.certutil("-backupkey", "-p", Self.password(site), directory)
        #expect(
            refused.text
                == "CertUtil: -backupKey command FAILED: 0x80070050 (WIN32: 80)\nCertUtil: The file exists.\n")
        // The database beside them, as Windows has it.
        let database = try await site.certutil("-backupdb", "-p", Self.password(site), directory)
        #expect(database.text.hasSuffix("CertUtil: -backupDB command completed successfully.\n"), "\(database.stderr)")
        let all = try await site.certutil("-f", "-backup", "-p", Self.password(site), directory)
        #expect(
            all.text == line("\(directory)/Old CA.p12") + """
                Full database backup for \(Self.host)\\Old CA.
                Backed up database to \(directory).
                Database logs successfully truncated.
                CertUtil: -backup command completed successfully.

                """, "\(all.stderr)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
                == ["Database", "Old CA.p12", "Old CA.p7b"])
        try await site.operate(
            "backup", "verify", "--instance", site.path("issuing"), "--password", Self.password(site), directory)

        let old = try await site.certutil("-backup", Self.password(site), site.path("certfile"))
        #expect(old.text == line(site.path("certfile")) + "CertUtil: -backup command completed successfully.\n")
        let literal = try await site.certutil("-backup", "Pswd", site.path("literal"))
        #expect(literal.status == 1 && !(literal.text + literal.stderr).contains("Pswd"))
        #expect(literal.stderr.contains("which every user of this machine can read"), "\(literal.stderr)")
        #expect(!FileManager.default.fileExists(atPath: site.path("literal")))
        try FileManager.default.moveItem(atPath: site.path("certfile"), toPath: site.path("certfile.p12"))
        for file in ["\(directory)/Old CA.p12", site.path("certfile.p12")] {
            #expect(try await Self.privateKey(file) == Self.privateKey(site.path("old.key")))
        }
    }

    @Test("The key comes back from its file onto a new token of the same name, and no other key does")
    func restored() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA("p-256")
        try await site.makeOldCA("p-256", name: "other")
        #expect(try await site.importCA(token, ["--extractable"]).status == 0)
        let (instance, directory) = (site.path("ca"), site.path("Backup2"))
        let options = ["-instance", instance, "-p", Self.password(site)]
        func line(_ state: String) throws -> Regex<AnyRegexOutput> {
            let name = "\(Self.host)\\\\Old CA from \(directory)/Old CA.p12\\."
            return try Regex("Restored keys and certificates for \(name)\nCA key 0: \(state) pkcs11:[^\n]*\n")
        }
        #expect(try await site.certutil(["-backupkey"] + options + [directory]).status == 0)
        let present = try await site.certutil(["-restorekey"] + options + [directory])
        #expect(
            try present.text.firstMatch(of: line("on its token already")) != nil, "\(present.text)\(present.stderr)")
        #expect(try await Self.events(site, 10_012) == 1)

        try FileManager.default.removeItem(atPath: site.path("tokens-ca"))
        _ = try await site.makeToken("ca")
        #expect(try await site.signet("crl", "publish", "--instance", instance).status == 1)
        for (file, password, code) in [
            ("other.p12", "old-password", "0x80094005"), ("Backup2/Old CA.p12", "old-password", "0x80070056"),
        ] {
            let refused = try await site.signet(
                "ca", "restore-keys", "--instance", instance, site.path(file), "--password",
                "file:\(site.path(password))")
            #expect(refused.status == 1 && refused.stderr.contains(code), "\(refused.stderr)")
            #expect(try await !site.objects(on: "ca").contains("Private Key Object"))
        }
        let restored = try await site.certutil(["-restorekey"] + options + [directory])
        #expect(
            try restored.text.firstMatch(of: line("restored and proven")) != nil, "\(restored.text)\(restored.stderr)")
        #expect(
            restored.text.hasSuffix(
                """
                CertUtil: -restoreKey command completed successfully.
                The CertSvc service may need to be restarted for changes to take effect.

                """))
        #expect(try await Self.events(site, 10_012) == 2)
        try await self.publish(site, "ca")
        // The old form finds it there, and the key is in no file from now on.
        let old = try await site.certutil(
            "-instance", instance, "-restore", Self.password(site), "\(directory)/Old CA.p12")
        #expect(try old.text.firstMatch(of: line("on its token already")) != nil, "\(old.text)\(old.stderr)")
        let again = try await Self.backUp(site, site.path("again.p12"))
        #expect(again.status == 1 && again.stderr.contains("0x8009000b"), "\(again.stderr)")
        try await site.operate("audit", "verify", "--instance", instance)
    }

    @Test("Who has the key in a file is not asked for a backup of it any more")
    func reminder() async throws {
        let port = try await RunningService.freePorts()
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA("p-256")
        let imported = try await site.importCA(
            token, ["--extractable", "--port", "\(port)", "--publication-port", "\(port + 1)"], directory: "issuing")
        #expect(imported.text.contains("Now back the CA up, its database and its key"))
        try await site.operate("crl", "publish", "--instance", site.path("issuing"))
        try await site.operate(
            "web", "certificate", "--instance", site.path("issuing"), "--dns-name", "localhost", "--key-token", "ca")
        for expected in [1, 1] {
            let service = try await RunningService(site, port: port)
            #expect(try await service.stop() == 0)
            let log = String(decoding: try site.directory.read("signetd.log"), as: UTF8.self)
            #expect(log.components(separatedBy: "no backup has the CA certificate in place").count - 1 == expected)
            try await site.operate(
                "backup", "keys", "--instance", site.path("issuing"), "--pkcs12", site.path("keys.p12"), "--password",
                Self.password(site), "--force")
        }
        try await site.backUp(to: "full")
        let shown = try await site.operate("backup", "show", site.path("full"))
        #expect(shown.text.contains("; a PKCS #12 was written at "), "\(shown.text)")
    }
}
