import Foundation
import Synchronization
import TestSupport
import Testing

extension Site {
    /// SHA-256 of the issuing CA's certificate, as an operator reads it with openssl.
    func issuingSHA256() async throws -> String {
        let text = try await succeed([
            "openssl", "x509", "-in", self.path("issuing.crt"), "-noout", "-fingerprint", "-sha256",
        ]).text
        return text.trimmingCharacters(in: .newlines).components(separatedBy: "=").last ?? ""
    }

    /// Has the issuing CA issue a certificate.
    ///
    /// - Returns: its serial number.
    @discardableResult
    func certify(_ name: String, instance: String = "issuing") async throws -> String {
        try await self.operate(
            "request", "submit", "--instance", self.path(instance), "--template", "WebServer", "--out",
            self.path("\(name).crt"), self.makeRequest(name))
        let text = try await succeed([
            "openssl", "x509", "-in", self.path("\(name).crt"), "-noout", "-serial",
        ]).text
        return text.trimmingCharacters(in: .newlines).components(separatedBy: "=").last ?? ""
    }

    func backUp(to name: String, _ options: String...) async throws {
        try await succeed(
            [Programs.signet, "backup", "create", "--instance", self.path("issuing"), self.path(name)]
                + ["--password", "file:\(self.path("pin-user"))"] + options)
    }

    func restore(_ backup: String, to instance: String, _ options: [String]) async throws -> ToolResult {
        try await self.signet(
            ["restore", self.path(backup), "--instance", self.path(instance)]
                + ["--password", "file:\(self.path("pin-user"))"] + options)
    }
}

/// What tells tasks to stop that must end their work first.
private final class Flag: Sendable {
    private let state = Mutex(false)

    var isRaised: Bool { self.state.withLock { $0 } }

    func raise() {
        self.state.withLock { $0 = true }
    }
}

@Suite("signet backup and restore")
struct BackupTests {
    @Test("A backup under load is whole, verifies, and is restored into an empty directory with keys that are proven")
    func running() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let service = try await RunningService(site, port: port)
        let request = try await site.makeRequest("www")
        let before = try await site.certify("before")
        // Two clients that go on until they are told to stop, while the backup is made.
        let isDone = Flag()
        let acknowledged = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var count = 0
                    while !isDone.isRaised {
                        let answer = try await run(
                            site.curl("certfnsh.asp", port: port) + [
                                "--data-urlencode", "Mode=newreq", "--data-urlencode", "CertRequest@\(request)",
                                "--data-urlencode", "CertAttrib=CertificateTemplate:WebServer",
                            ])
                        if answer.text.contains("certnew.cer?ReqID=") { count += 1 }
                    }
                    return count
                }
            }
            try await site.backUp(to: "backup")
            isDone.raise()
            return try await group.reduce(0, +)
        }
        #expect(acknowledged > 0)
        #expect(try await service.stop() == 0)

        let hash = try await site.issuingSHA256()
        let verified = try await site.operate(
            "backup", "verify", "--authority-sha256", hash, "--password", "file:\(site.path("pin-user"))",
            site.path("backup"))
        #expect(verified.text.contains("full backup of \"Test Issuing CA\", whole, decrypted and compared"))
        let shown = try await site.operate("backup", "show", site.path("backup"))
        #expect(shown.text.contains("CA: Test Issuing CA\n"))
        #expect(shown.text.contains("  signet.yaml, "))
        #expect(!shown.text.contains("pin"))

        let restored = try await site.restore("backup", to: "again", ["--authority-sha256", hash])
        #expect(restored.status == 0, "\(restored.text)\n\(restored.stderr)")
        #expect(restored.text.contains("CA key 0: proven pkcs11:"))
        let again = site.path("again")
        try await site.operate("audit", "verify", "--instance", again)
        let found = try await site.operate("request", "list", "--instance", again, "--limit", "100000")
        #expect(found.text.contains("before.example.test"))
        // It goes on: issues, revokes what was issued before the backup, publishes.
        try await site.certify("after", instance: "again")
        try await site.operate("certificate", "revoke", "--instance", again, before)
        try await site.operate("crl", "publish", "--instance", again)
        try await site.operate("audit", "verify", "--instance", again)
    }

    @Test("Openssl shows the signed manifest, and verifies it with the CA's chain")
    func manifest() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "backup")
        let shown = try await succeed([
            "openssl", "cms", "-verify", "-inform", "DER", "-in", site.path("backup/Database/certbkxp.dat"), "-CAfile",
            site.path("chain.pem"), "-purpose", "any", "-binary",
        ])
        #expect(shown.text.contains("\"authority\":\"Test Issuing CA\""))
        let names = try FileManager.default.subpathsOfDirectory(atPath: site.path("backup")).sorted()
        #expect(
            names == [
                "Database", "Database/Test Issuing CA.edb", "Database/certbkxp.dat", "Test Issuing CA.p7b",
            ])
        let chain = try await succeed([
            "openssl", "pkcs7", "-inform", "DER", "-in", site.path("backup/Test Issuing CA.p7b"), "-print_certs",
        ])
        #expect(chain.text.components(separatedBy: "subject=").count == 3)
    }

    @Test("Nothing is overwritten unless that is asked for, and only a backup is")
    func overwriting() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "backup")
        let first = try await site.operate("backup", "show", site.path("backup")).text
        let arguments = [
            "backup", "create", "--instance", site.path("issuing"), "--password", "file:\(site.path("pin-user"))",
        ]
        let refused = try await site.signet(arguments + [site.path("backup")])
        #expect(refused.status == 1)
        #expect(refused.stderr.contains("0x80070050"))
        #expect(try await site.operate("backup", "show", site.path("backup")).text == first)
        try await site.backUp(to: "backup", "--force")
        #expect(try await site.operate("backup", "show", site.path("backup")).text != first)
        // The instance itself is no backup.
        let other = try await site.signet(arguments + ["--force", site.path("root")])
        #expect(other.stderr.contains("0x80070050"))
        let left = try FileManager.default.contentsOfDirectory(atPath: site.directory.path)
            .filter { $0.hasPrefix("backup") }
        #expect(left == ["backup"])
        #expect(!FileManager.default.fileExists(atPath: site.path("issuing/backup.sqlite")))
    }

    @Test("Only a backup operator may back up and restore")
    func roles() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "backup")
        // As soon as one account has roles, the others have none.
        try await site.operate(
            "role", "assign", "--instance", site.path("issuing"), "--system-user", "somebody-else", "--role",
            "administrator")
        let refused = try await site.signet(
            "backup", "create", "--instance", site.path("issuing"), "--password", "file:\(site.path("pin-user"))",
            site.path("other"))
        #expect(refused.stderr.contains("0x80070005"), "\(refused.stderr)")
        #expect(!FileManager.default.fileExists(atPath: site.path("other")))
        let restore = try await site.restore("backup", to: "issuing", ["--force"])
        #expect(restore.stderr.contains("0x80070005"), "\(restore.stderr)")
    }

    @Test("A certificate that was revoked and one that was issued after the backup are so after the restore")
    func merging() async throws {
        let site = try await Site.issuing()
        let (kept, revoked) = (try await site.certify("kept"), try await site.certify("revoked"))
        let (held, issuing) = (try await site.certify("held"), site.path("issuing"))
        try await site.operate("certificate", "revoke", "--instance", issuing, "--reason", "certificateHold", held)
        try await site.backUp(to: "backup")
        let (late, lateRevoked) = (try await site.certify("late"), try await site.certify("late-revoked"))
        // What was on hold is revoked for good now, and must not be on hold again: that could be taken away.
        let allRevoked = [revoked, lateRevoked, held]
        for serial in allRevoked {
            try await site.operate("certificate", "revoke", "--instance", issuing, "--reason", "keyCompromise", serial)
        }
        for _ in 0..<3 { try await site.operate("crl", "publish", "--instance", issuing) }
        let list = try await Self.list(site, "issuing")

        // Over the old instance: everything is taken over from it.
        let replaced = try await site.restore("backup", to: "issuing", ["--force"])
        #expect(replaced.status == 0, "\(replaced.text)\n\(replaced.stderr)")
        #expect(replaced.text.contains("2 certificates, 3 revocations"))
        try await site.operate("audit", "verify", "--instance", issuing)
        try await Self.check(site, "issuing", revoked: allRevoked, good: [kept, late], above: list.number)
        let previous = try #require(
            FileManager.default.contentsOfDirectory(atPath: site.directory.path)
                .first { $0.hasPrefix("issuing.before-restore-") })

        let opened = try await site.signet("crl", "publish", "--instance", site.path(previous))
        #expect(opened.status == 1 && opened.stderr.contains("was replaced by a restore"), "\(opened.stderr)")
        #expect(opened.stderr.contains("0x80094006"))

        // Elsewhere, with nothing but what was published.
        let published = site.path(previous) + "/publish"
        let elsewhere = try await site.restore(
            "backup", to: "elsewhere",
            [
                "--authority-sha256", site.issuingSHA256(), "--published", published, "--published",
                site.path("late.crt"),
            ])
        #expect(elsewhere.status == 0, "\(elsewhere.text)\n\(elsewhere.stderr)")
        #expect(elsewhere.text.contains("1 certificates, 3 revocations"))
        try await site.operate("audit", "verify", "--instance", site.path("elsewhere"))
        try await Self.check(
            site, "elsewhere", revoked: allRevoked, good: [kept, late], above: list.number)
        // Numbers of requests go on above those that were published.
        let next = try await site.certify("next", instance: "elsewhere")
        #expect(next.suffix(8) > lateRevoked.suffix(8))
    }

    private static func list(_ site: Site, _ instance: String) async throws -> (number: Int, text: String) {
        let text = try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("\(instance)/publish/Test Issuing CA.crl"), "-noout",
            "-text", "-crlnumber",
        ]).text
        let number = try #require(text.firstMatch(of: /crlNumber=0x([0-9A-F]+)/))
        return (try #require(Int(number.1, radix: 16)), text)
    }

    /// Publishes a list and looks at it.
    private static func check(
        _ site: Site, _ instance: String, revoked: [String], good: [String], above number: Int
    ) async throws {
        try await site.operate("crl", "publish", "--instance", site.path(instance))
        let list = try await Self.list(site, instance)
        #expect(list.number > number)
        for serial in revoked { #expect(list.text.contains("Serial Number: \(serial)\n")) }
        for serial in good { #expect(!list.text.contains("Serial Number: \(serial)\n")) }
        #expect(list.text.contains("Key Compromise"))
        #expect(!list.text.contains("Certificate Hold"))
    }

    @Test("Wrong directories, passwords, CAs and targets are refused with the documents' texts and codes")
    func refusals() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "backup")
        let hash = try await site.issuingSHA256()
        let trusted = ["--authority-sha256", hash]
        let nothing = try await site.restore("root", to: "new", trusted)
        #expect(nothing.stderr.contains("The expected data does not exist in this directory."))
        #expect(nothing.stderr.contains("0x8007010b"))
        let untrusted = try await site.restore("backup", to: "new", [])
        #expect(untrusted.stderr.contains("0x800b0109"), "\(untrusted.stderr)")
        let foreign = try await site.restore(
            "backup", to: "new", ["--authority-sha256", String(repeating: "00", count: 32)])
        #expect(foreign.stderr.contains("certbkxp.dat"), "\(foreign.stderr)")
        let existing = try await site.restore("backup", to: "issuing", [])
        #expect(existing.stderr.contains("0x80070050"))
        let other = try await site.restore("backup", to: "root", ["--force"])
        #expect(other.stderr.contains("belongs to another backup"), "\(other.stderr)")
        try site.secret("wrong", to: "wrong")
        let wrong = try await site.signet(
            "restore", site.path("backup"), "--instance", site.path("new"), "--password",
            "file:\(site.path("wrong"))", "--authority-sha256", hash)
        #expect(wrong.stderr.contains("0x80070056"), "\(wrong.stderr)")
        for name in ["new", "new.restoring", "issuing.restoring", "root.restoring"] {
            #expect(!FileManager.default.fileExists(atPath: site.path(name)), "\(name)")
        }
        for name in ["issuing", "root"] { try await site.operate("audit", "verify", "--instance", site.path(name)) }
    }

    @Test("A part that is missing, cut, or changed by one bit is named and refused, and the old instance is untouched")
    func damage() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "backup")
        let database = try await Self.dump(site.path("issuing"))
        for file in ["Database/certbkxp.dat", "Database/Test Issuing CA.edb", "Test Issuing CA.p7b"] {
            let path = site.path("backup/\(file)")
            let whole = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
            var flipped = whole
            flipped[whole.count / 2] ^= 0x10
            for damaged in [nil, Array(whole.dropLast()), Array(whole.prefix(100)), flipped, whole + [0]] {
                if let damaged {
                    try Data(damaged).write(to: URL(fileURLWithPath: path))
                } else {
                    try FileManager.default.removeItem(atPath: path)
                }
                let refused = try await site.restore("backup", to: "issuing", ["--force"])
                #expect(refused.status == 1)
                let named = refused.stderr.contains(file) || refused.stderr.contains("The expected data does not exist")
                #expect(named, "\(file): \(refused.stderr)")
            }
            try Data(whole).write(to: URL(fileURLWithPath: path))
        }
        #expect(try await Self.dump(site.path("issuing")) == database)
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
        #expect(!FileManager.default.fileExists(atPath: site.path("issuing.restoring")))
    }

    /// Every row of a database, as SQL.
    private static func dump(_ instance: String) async throws -> String {
        let program = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).iterdump(), sep='\\n')"
        return try await succeed(["python3", "-c", program, "\(instance)/signet.sqlite"]).text
    }

    @Test("An instance in use is not replaced, and one of which the restore was interrupted does not open")
    func interruption() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        try await site.backUp(to: "backup")
        let service = try await RunningService(site, port: port)
        let refused = try await site.restore("backup", to: "issuing", ["--force"])
        #expect(refused.stderr.contains("0x800700b7"), "\(refused.stderr)")
        #expect(try await service.stop() == 0)
        // As a process leaves it that was killed.
        let hash = try await site.issuingSHA256()
        try FileManager.default.createDirectory(atPath: site.path("new.restoring"), withIntermediateDirectories: false)
        try site.directory.write("new.restoring/RESTOREINPROGRESS", [])
        for name in ["new", "new.restoring"] {
            let interrupted = try await site.signet("ca", "show", "--instance", site.path(name))
            #expect(interrupted.stderr.contains("0x80094006"), "\(name): \(interrupted.stderr)")
        }
        let restored = try await site.restore("backup", to: "new", ["--authority-sha256", hash])
        #expect(restored.status == 0, "\(restored.stderr)")
        try await site.operate("ca", "show", "--instance", site.path("new"))
    }

    @Test("A key that is not on its token is named, and is not offered")
    func missingKey() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "backup")
        let hash = try await site.issuingSHA256()
        try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", "issuing", "--login", "--pin", "12345678",
                "--delete-object", "--type", "privkey", "--label", "Test Issuing CA",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
        let restored = try await site.restore("backup", to: "new", ["--authority-sha256", hash])
        #expect(restored.status == 2)
        #expect(restored.text.contains("CA key 0: does not work, not offered"))
        let refused = try await site.signet("crl", "publish", "--instance", site.path("new"))
        #expect(refused.status == 1)
        #expect(
            refused.stderr.contains("out of use because it did not work when the authority was restored"),
            "\(refused.stderr)")
        #expect(refused.stderr.contains("found then: "))
    }
}
