import Foundation
import TestSupport
import Testing

@Suite("certutil -ImportCert")
struct CertificateImportTests {
    private static func failure(_ code: String, _ text: String) -> String {
        "CertUtil: -ImportCert command FAILED: \(code)\nCertUtil: \(text)\n"
    }

    /// Changes rows behind the CA's back, as an older copy of the database has them.
    private static func change(_ site: Site, _ statements: String...) async throws {
        let program = """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1])
            for statement in sys.argv[2:]: db.execute(statement)
            db.commit()
            """
        try await succeed(["python3", "-c", program, site.path("issuing/signet.sqlite")] + statements)
    }

    private static func number(_ result: ToolResult) throws -> String {
        let match = try #require(result.text.firstMatch(of: /^RequestId: (\d+)\n/), "\(result.text)\(result.stderr)")
        #expect(result.text == "RequestId: \(match.1)\nCertUtil: -ImportCert command completed successfully.\n")
        return String(match.1)
    }

    @Test("A certificate whose row is lost is imported by its signature, once, and can be revoked again")
    func lostRow() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let serial = try await site.certify("www")
        let file = site.path("www.crt")
        let known = try await site.certutil("-importcert", file)
        #expect(known.text == Self.failure("0x80071392 (WIN32: 5010)", "The object already exists."))
        try await Self.change(
            site, "DELETE FROM request WHERE request_id IN (SELECT max(request_id) FROM certificate)",
            "DELETE FROM certificate WHERE serial_number = '\(serial)'")
        let lost = try await site.certutil("-revoke", serial, "1")
        #expect(lost.text.contains("CertUtil: -revoke command FAILED: 0x80094004 (-2146877436)"), "\(lost.text)")

        let number = try Self.number(await site.certutil("-importcert", file))
        let shown = try await site.operate("request", "show", "--instance", issuing, number)
        #expect(shown.text.contains("Imported by "), "\(shown.text)")
        let events = try await site.operate("audit", "show", "--instance", issuing, "--limit", "1000")
        #expect(events.text.components(separatedBy: " 788 ").count == 2, "\(events.text)")
        try await site.operate("certificate", "revoke", "--instance", issuing, "--reason", "keyCompromise", serial)
        try await site.operate("crl", "publish", "--instance", issuing)
        let list = try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("issuing/publish/Test Issuing CA.crl"), "-text",
            "-noout",
        ])
        #expect(list.text.contains("Serial Number: \(serial)\n"))
        try await site.operate("audit", "verify", "--instance", issuing)
        // Lost once more: what the list says of it counts from the start.
        try await Self.change(
            site, "DELETE FROM request WHERE request_id = \(number)",
            "DELETE FROM certificate WHERE serial_number = '\(serial)'")
        let again = try Self.number(await site.certutil("-importcert", file))
        let revoked = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "revoked", "--numbers")
        #expect(revoked.text == "\(again)\n")
    }

    @Test("A certificate takes the row of the pending request for its key, and no other row")
    func pendingRow() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let card = try await site.makeCard("card", profile: "generic-32k-smartcard")
        try await site.operate("kra", "enroll", "--instance", issuing, "--token-file", card, "--name", "Agent")
        let number = try await site.pendingRequest()
        try await site.operate("request", "approve", "--instance", issuing, number)
        let file = site.path("agent.crt")
        try await site.operate("certificate", "export", "--instance", issuing, "--request", number, "--out", file)
        let leaf = try await succeed(["openssl", "x509", "-in", file]).text
        try site.directory.write("agent.crt", Array(leaf.utf8))
        let none = try await site.certutil("-importcert", file, "ExistingRow")
        #expect(
            none.text == Self.failure("0x80092009 (-2146885623)", "Cannot find the requested object."), "\(none.stderr)"
        )
        // As a copy has it that was made before the request was approved.
        try await Self.change(
            site, "DELETE FROM certificate WHERE request_id = \(number)",
            "DELETE FROM intent WHERE kind = 'certificate' AND request_id = \(number)",
            "UPDATE request SET disposition = 9 WHERE request_id = \(number)")
        let word = try await site.certutil("-importcert", file, "7")
        #expect(word.text == Self.failure("0x80070057 (WIN32: 87)", "The parameter is incorrect."))
        #expect(try await Self.number(site.certutil("-importcert", file, "ExistingRow")) == number)
        #expect(try await site.pendingRequest().isEmpty)
        try await site.operate("certificate", "revoke", "--instance", issuing, site.serial(of: "agent.crt"))
    }

    @Test("What is no certificate is refused, and one of another CA is taken only with -f and KRAF_ENABLEFOREIGN")
    func foreign() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let text = try site.directory.write("text", Array("no certificate\n".utf8))
        let nonsense = try await site.certutil("-importcert", text)
        #expect(nonsense.text == Self.failure("0x8007000d (WIN32: 13)", "The data is invalid."))
        let file = site.path("foreign.crt")
        try await succeed([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=foreign.example.test", "-keyout", site.path("foreign.key"), "-out", file,
        ])
        let chaining = Self.failure(
            "0x800b0107 (-2146762489)",
            "A parent of a given certificate in fact did not issue that child certificate.")
        let unsaid = try await site.certutil("-importcert", file)
        #expect(unsaid.text == chaining)
        let unset = try await site.certutil("-f", "-importcert", file)
        #expect(unset.text == chaining && unset.stderr.contains("archival.foreign-certificates"), "\(unset.stderr)")
        _ = try await site.certutil("-setreg", "ca\\KRAFlags", "+KRAF_ENABLEFOREIGN")
        let unforced = try await site.certutil("-importcert", file)
        #expect(unforced.text == chaining && unforced.stderr.contains("--force"), "\(unforced.stderr)")

        let number = try Self.number(await site.certutil("-f", "-importcert", file))
        let shown = try await site.operate("request", "show", "--instance", issuing, number)
        #expect(shown.text.contains("foreign"), "\(shown.text)")
        let known = try await site.certutil("-f", "-importcert", file)
        #expect(known.text == Self.failure("0x80071392 (WIN32: 5010)", "The object already exists."))
        let row = try await site.certutil("-f", "-importcert", file, "ExistingRow")
        #expect(row.text == Self.failure("0x80092009 (-2146885623)", "Cannot find the requested object."))
        // Its own CA revokes it.
        let revoked = try await site.certutil("-revoke", site.serial(of: "foreign.crt"), "1")
        #expect(revoked.text.contains("CertUtil: -revoke command FAILED: 0x80094004 (-2146877436)"))
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test(
        "A key whose certificate this CA has issued and lost is archived after the certificate is imported, not as a foreign one"
    )
    func keyOfLostRow() async throws {
        let site = try await Site.issuing()
        _ = try await site.makeAgent()
        let (key, certificate, file) = (site.path("user.key"), site.path("user.crt"), site.path("user.p12"))
        try await succeed([
            "openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=user.example.test", "-addext",
            "subjectAltName=DNS:user.example.test", "-keyout", key, "-out", site.path("user.req"),
        ])
        try await site.operate(
            "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer", "--out", certificate,
            site.path("user.req"))
        let password = "file:\(site.path("pin-user"))"
        try await succeed([
            "openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-out", file, "-passout", password,
        ])
        let serial = try await site.serial(of: "user.crt")
        try await Self.change(
            site, "DELETE FROM request WHERE request_id IN (SELECT max(request_id) FROM certificate)",
            "DELETE FROM certificate WHERE serial_number = '\(serial)'")
        _ = try await site.certutil("-setreg", "ca\\KRAFlags", "+KRAF_ENABLEFOREIGN")
        let refused = try await site.certutil("-f", "-p", password, "-importkms", file)
        #expect(refused.text.contains("Keys not archived: 1\n"), "\(refused.text)\(refused.stderr)")
        #expect(try await site.certutil("-importcert", certificate).status == 0)
        let taken = try await site.certutil("-p", password, "-importkms", file)
        #expect(taken.text.contains("Keys archived: 1\n"), "\(taken.text)\(taken.stderr)")
        #expect(try await site.certutil("-revoke", serial, "1").status == 0)
    }
}
